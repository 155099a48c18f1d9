// Receives group calls: which company, team or household a user belongs to.
export async function handler({ userId, groupId, traits }) {
  console.log(`${userId} belongs to ${traits?.name ?? groupId}`);
}
