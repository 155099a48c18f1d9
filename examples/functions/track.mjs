// Receives track calls, one by one or in batches (Max Batch Size above 1), and reports single failures of a batch:
// the events listed in batchItemFailures are sent again, the others are done.
export async function handler(input) {
  const events = Array.isArray(input) ? input : [input];
  const batchItemFailures = [];
  for (const event of events) {
    try {
      await store(event);
    } catch (error) {
      console.error(`${event.messageId}: ${error.message}`);
      batchItemFailures.push({ itemIdentifier: event.messageId });
    }
  }
  return { batchItemFailures };
}

async function store({ event, userId, anonymousId, properties = {} }) {
  console.log(`${userId ?? anonymousId} did ${event}`, properties);
}
