/** A key of rudder-server's configuration, and why it is set. */
interface ServerSetting {
  readonly key: string;
  readonly value: string;
  readonly why: string;
}

const ROUTER = "Router.AMAZON_LAMBDA";

/** The least and the most events that the server hands over at once; functions that take one at a time are served by many. */
const BATCH = { least: 20, most: 10_000 };

const ALWAYS: readonly ServerSetting[] = [
  {
    key: `${ROUTER}.transformerProxy`,
    value: "true",
    why: "Delivery goes through the transformer. Without it every event is retried for 3 hours, then aborted.",
  },
  {
    key: `${ROUTER}.jobsBatchTimeout`,
    value: "1s",
    why: "How long events wait for others before they are delivered; 5 s by default.",
  },
  {
    key: `${ROUTER}.noOfWorkers`,
    value: "63",
    why: "Deliveries side by side. Users hash onto half of an even number (64 by default), and onto all of an odd one.",
  },
  {
    key: "Transformer.Client.disableKeepAlives",
    value: "false",
    why: "Connections to the transformer are used again.",
  },
];

const WITHOUT_CONTROL_PLANE: readonly ServerSetting[] = [
  {
    key: "BackendConfig.configFromFile",
    value: "true",
    why: "Without a control plane: delete these two and the volume where you have one.",
  },
  { key: "BackendConfig.configJSONPath", value: "/etc/rudderstack/workspaceConfig.json", why: "" },
];

const WITHOUT_INTERNET: readonly ServerSetting[] = [
  {
    key: "Diagnostics.enableDiagnostics",
    value: "false",
    why: "Usage data are not sent to RudderStack: where the server has no access to the internet, it keeps trying.",
  },
];

/**
 * An override for RudderStack's own `rudder-docker.yml`, which puts the destination into its transformer and has the
 * server deliver through it.
 *
 * @param maxBatchSize events per invocation, as in the destination's settings
 */
export function composeOverride(maxBatchSize: number): string {
  const batch: ServerSetting = {
    key: `${ROUTER}.noOfJobsToBatchInAWorker`,
    value: String(Math.min(Math.max(maxBatchSize, BATCH.least), BATCH.most)),
    why: "Events handed over at once: at least Max Batch Size.",
  };
  const [proxy, ...others] = ALWAYS;
  const server = [...(proxy ? [proxy] : []), batch, ...others, ...WITHOUT_CONTROL_PLANE, ...WITHOUT_INTERNET];
  return `# docker compose -f rudder-docker.yml -f this-file up -d --build
services:
  backend:
    # Where the transformer is gone for some seconds, the server ends; started again, it goes on with what it has stored.
    restart: unless-stopped
    environment:
${server.flatMap(variable).join("\n")}
    volumes:
      - ./workspaceConfig.json:/etc/rudderstack/workspaceConfig.json:ro
  d-transformer:
    image: rudder-transformer-amazon-lambda
    build:
      context: .
      dockerfile_inline: |
        FROM rudderstack/rudder-transformer:latest
        COPY amazon-lambda-destination-*.tgz /tmp/amazon-lambda-destination.tgz
        RUN npx --yes --package=/tmp/amazon-lambda-destination.tgz amazon-lambda-destination install rudderstack /home/node/app/dist
    restart: unless-stopped
    environment:
      # Who assumes the roles: anything that the AWS SDK takes an identity from. An instance or task role needs nothing here.
      - AWS_ACCESS_KEY_ID
      - AWS_SECRET_ACCESS_KEY
      - AWS_SESSION_TOKEN
      # Where users share this server, so that none of them can type another's External ID.
      # - AMAZON_LAMBDA_EXTERNAL_ID=source
`;
}

function variable({ key, value, why }: ServerSetting): string[] {
  return [...(why ? [`      # ${why}`] : []), `      - ${environmentVariable(key)}=${value}`];
}

/** The name that rudder-server gives a configuration key in its environment. */
export function environmentVariable(key: string): string {
  return `RSERVER_${key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(".", "_")
    .toUpperCase()}`;
}
