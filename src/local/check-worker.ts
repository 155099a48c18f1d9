/** Entry of the thread in which the page's server runs the connection check: see `page-server/check-runner.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { checkConnection } from "../index";
import type { CheckOrder } from "./page-server/check-runner";
import type { CheckLine } from "./page-server/protocol";

const { settings, sourceId, send } = workerData as CheckOrder;
const tell = (line: CheckLine): void => parentPort?.postMessage(line);

checkConnection(settings, { sourceId, workspaceId: "local", send, onStep: (step) => tell({ step }) }).then(
  ({ ok }) => {
    tell({ ok });
    // Connections that are kept alive need not be waited for.
    process.exit();
  },
  (error: Error) => {
    tell({ broken: error.message });
    process.exit(1);
  },
);
