/**
 * Milliseconds that a delivery may take in Jitsu's rotor, unless its operator sets `AMAZON_LAMBDA_MAX_TIMEOUT_MS`: Kafka takes a consumer
 * that is silent for 10 s for dead, and gives its events out again, those of other users too.
 */
export const LONGEST_DELIVERY_MS = 8_000;
