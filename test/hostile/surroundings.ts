import dns from "node:dns";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { environment } from "../aws/loopback";
import { createRawServer, type RawRequest } from "../chaos/raw-server";

/** Bytes that are answered to a request to Lambda. */
export type AnswerBytes = (request: RawRequest) => string | Buffer;

/** What hostile input must not change, and a server in AWS's place. */
export interface Surroundings {
  /** What the next requests are answered; by default the function takes the event. */
  lambda: AnswerBytes;
  sts: AnswerBytes;
  /** Bodies that arrived at Lambda. */
  readonly bodies: string[];
  /** @throws where a prototype was changed, or an address was asked for that nobody configured */
  assess(): void;
  close(): Promise<void>;
}

const SESSION = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLESESSION00</AccessKeyId><SecretAccessKey>session-secret</SecretAccessKey><SessionToken>session-token</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
const HEADERS = "x-amzn-requestid: 1\r\nx-amz-executed-version: $LATEST\r\n";

/** An HTTP answer with a right length. */
export function answerOf(status: number, headers: string, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} X\r\n${headers}content-length: ${bytes.length}\r\n\r\n`),
    bytes,
  ]);
}

export const taken: AnswerBytes = () => answerOf(200, HEADERS, "null");
export const session: AnswerBytes = () => answerOf(200, "content-type: text/xml\r\n", SESSION);

/** Everything that all objects inherit. */
function inherited(): string {
  return [Object, Array, Function, String, Map, Promise, Error]
    .map(({ prototype }) => Reflect.ownKeys(prototype).map(String).sort().join())
    .join(";");
}

/** Starts the server, and watches where connections go. */
export async function surroundings(): Promise<Surroundings> {
  const bodies: string[] = [];
  const elsewhere: string[] = [];
  const before = inherited();
  const watched: Surroundings = {
    lambda: taken,
    sts: session,
    bodies,
    assess() {
      expect(inherited()).toBe(before);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      expect(elsewhere).toEqual([]);
    },
    async close() {
      restoreEnvironment();
      net.Socket.prototype.connect = connect;
      dns.lookup = lookup;
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
  const sockets = new Set<Socket>();
  const server = createRawServer({
    trapUrl: "",
    early: () => false,
    handle(request, connection) {
      const lambda = request.path.startsWith("/2015-03-31/");
      if (lambda) bodies.push(request.body.toString());
      const bytes = lambda ? watched.lambda(request) : watched.sts(request);
      connection.write(bytes);
      // Of a broken answer nobody knows where it ends.
      if (!bytes.toString("latin1").startsWith("HTTP/1.1 ")) connection.end();
    },
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;

  const { connect } = net.Socket.prototype;
  net.Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    const [options] = (args[0] as [{ port?: number; host?: string }]) ?? [{}];
    const asked = Array.isArray(args[0]) ? options : (args[0] as { port?: number; host?: string });
    if (Number(asked.port) !== port || asked.host !== "127.0.0.1") elsewhere.push(`${asked.host}:${asked.port}`);
    return connect.apply(this, args as Parameters<typeof connect>);
  } as typeof connect;
  const { lookup } = dns;
  dns.lookup = ((hostname: string, ...rest: unknown[]) => {
    if (hostname !== "127.0.0.1") elsewhere.push(hostname);
    return (lookup as (...args: unknown[]) => void)(hostname, ...rest);
  }) as typeof lookup;
  const restoreEnvironment = environment({
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_ENDPOINT_URL_LAMBDA: undefined,
    AWS_ENDPOINT_URL_STS: undefined,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE00000000",
    AWS_SECRET_ACCESS_KEY: "not/a/real+secret/only+for+this+test00000",
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS: undefined,
    AMAZON_LAMBDA_EXTERNAL_ID: undefined,
  });
  return watched;
}
