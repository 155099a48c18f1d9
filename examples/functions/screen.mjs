// Receives screen calls: pages of a mobile app.
export async function handler({ name, context }) {
  console.log(`${name ?? "A screen"} opened in ${context?.app?.name ?? "an app"} ${context?.app?.version ?? ""}`);
}
