// Receives alias calls: two IDs are the same user.
export async function handler({ previousId, userId }) {
  console.log(`${previousId} is now ${userId}`);
}
