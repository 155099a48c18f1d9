import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port";
import { until } from "./until";

/** Who may log in over TLS. */
export const LOGIN = { username: "worker", password: "not-a-secret-of-kafka" };
const KEYSTORE_PASSWORD = "not-a-secret-either";

/** One node of Apache Kafka in KRaft mode, on loopback: to everybody in the clear, and over TLS to who logs in. */
export class Broker {
  readonly #folder: string;
  readonly #port: number;
  readonly #securePort: number;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number, securePort: number) {
    this.#folder = folder;
    this.#port = port;
    this.#securePort = securePort;
  }

  static async start(): Promise<Broker> {
    const folder = mkdtempSync(join(tmpdir(), "kafka-"));
    const [port, securePort, controller] = [await freePort(), await freePort(), await freePort()];
    makeCertificate(folder);
    const { username, password } = LOGIN;
    writeFileSync(
      join(folder, "server.properties"),
      [
        "process.roles=broker,controller",
        "node.id=1",
        `controller.quorum.voters=1@127.0.0.1:${controller}`,
        `listeners=PLAINTEXT://127.0.0.1:${port},SASL_SSL://127.0.0.1:${securePort},CONTROLLER://127.0.0.1:${controller}`,
        `advertised.listeners=PLAINTEXT://127.0.0.1:${port},SASL_SSL://127.0.0.1:${securePort}`,
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        `listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`,
        ...["256", "512"].map(
          (bits) =>
            `listener.name.sasl_ssl.scram-sha-${bits}.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;`,
        ),
        `ssl.keystore.location=${join(folder, "keystore.p12")}`,
        `ssl.keystore.password=${KEYSTORE_PASSWORD}`,
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
    const broker = new Broker(folder, port, securePort);
    const logins = ["256", "512"].flatMap((bits) => [
      "--add-scram",
      `SCRAM-SHA-${bits}=[name=${username},password=${password}]`,
    ]);
    const format = ["format", ...logins, "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c"];
    execFileSync("java", broker.#java("kafka.tools.StorageTool", ...format), { stdio: "ignore" });
    await broker.run();
    return broker;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get secureAddress(): string {
    return `127.0.0.1:${this.#securePort}`;
  }

  /** PEM of who signed the certificate that it shows over TLS. */
  get caFile(): string {
    return join(this.#folder, "ca.pem");
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

/** Signed by itself, with the tool of the Java that runs the broker. */
function makeCertificate(folder: string): void {
  const keytool = (...args: string[]) =>
    execFileSync(
      "keytool",
      [...args, "-alias", "broker", "-keystore", join(folder, "keystore.p12"), "-storepass", KEYSTORE_PASSWORD],
      { stdio: "ignore" },
    );
  keytool("-genkeypair", "-keyalg", "RSA", "-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1,dns:localhost");
  keytool("-exportcert", "-rfc", "-file", join(folder, "ca.pem"));
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
