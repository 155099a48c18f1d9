import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port";
import { until } from "./until";

/** One node of Apache Kafka in KRaft mode, on loopback. */
export class Broker {
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  static async start(): Promise<Broker> {
    const folder = mkdtempSync(join(tmpdir(), "kafka-"));
    const [port, controller] = [await freePort(), await freePort()];
    writeFileSync(
      join(folder, "server.properties"),
      [
        "process.roles=broker,controller",
        "node.id=1",
        `controller.quorum.voters=1@127.0.0.1:${controller}`,
        `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
        `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names=CONTROLLER",
        `log.dirs=${join(folder, "data")}`,
        "auto.create.topics.enable=false",
        "offsets.topic.num.partitions=4",
        "offsets.topic.replication.factor=1",
        "transaction.state.log.replication.factor=1",
        "transaction.state.log.min.isr=1",
        "group.initial.rebalance.delay.ms=500",
        "group.min.session.timeout.ms=1000",
      ].join("\n"),
    );
    const broker = new Broker(folder, port);
    execFileSync("java", broker.#java("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c"), {
      stdio: "ignore",
    });
    await broker.run();
    return broker;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Starts it, or starts it again. */
  async run(): Promise<void> {
    this.#process = spawn("java", ["-Xmx512m", ...this.#java("kafka.Kafka")], { stdio: "ignore" });
    await until("the broker listens", () => isListening(this.#port));
  }

  async stop(): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, "exit");
    running.kill("SIGTERM");
    await exited;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #java(main: string, ...args: string[]): string[] {
    return ["-cp", process.env["KAFKA_CLASSPATH"] ?? "", main, ...args, join(this.#folder, "server.properties")];
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
