import { Agent, request as httpRequest } from "node:http";
import { startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { ACCOUNT, FUNCTIONS, KEYS, REGION, ROLE_NAME } from "./account";
import { type Answer, denied, expired, outOfTime } from "./faults";
import { FunctionModel } from "./function-model";
import type { RawRequest } from "./raw-server";

/** Headers that tell how an answer is written, which is the faults' to say: with a length besides, chunks are no HTTP. */
const FRAMING: readonly string[] = ["connection", "keep-alive", "transfer-encoding", "content-length"];

/** Whoever answers a request that nothing went wrong with. */
export interface Backend {
  answer(request: RawRequest): Promise<Answer> | Answer;
  expireSessions(): void;
  /** Refuses the sessions that there are, or takes that back. */
  revokeSessions(on: boolean): void;
  /** Lets time pass for sessions and signatures. */
  warp(ms: number): void;
  close(): Promise<void>;
}

/**
 * The embedded AWS: signatures, sessions and policies are checked for real, and functions run.
 *
 * @param durable makes the functions durable, and hears what they take when they do
 */
export async function embeddedBackend(seed: number, durable?: (took: readonly number[]) => void): Promise<Backend> {
  const aws = await startEmbeddedAws({ account: ACCOUNT, region: REGION, history: 1, concurrency: 10_000 });
  const model = new FunctionModel(seed, durable === undefined);
  const user = aws.addUser({ name: "router", ...KEYS });
  for (const name of FUNCTIONS)
    aws.addFunction({
      name,
      durable: durable !== undefined,
      handler: async (event: unknown) => {
        const { took, returned } = model.handle(event);
        durable?.(took);
        return returned;
      },
    });
  const allow = (statement: object) => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
  const setRole = (permissionPolicies: object[]) =>
    aws.addRole({
      name: ROLE_NAME,
      trustPolicy: allow({ Principal: { AWS: user.arn }, Action: "sts:AssumeRole" }),
      permissionPolicies,
    });
  const permission = allow({ Action: "lambda:InvokeFunction", Resource: "*" });
  setRole([permission]);
  const agent = new Agent({ keepAlive: true });
  const { port } = new URL(aws.url);
  return {
    answer: ({ method, path, headers, body }) =>
      new Promise<Answer>((resolve, reject) => {
        const { connection: _connection, ...kept } = headers;
        const forwarded = httpRequest({ agent, host: "127.0.0.1", port, method, path, headers: kept }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const told = Object.entries(response.headers).filter(([name]) => !FRAMING.includes(name));
            resolve({
              status: response.statusCode ?? 0,
              headers: Object.fromEntries(told.map(([name, value]) => [name, String(value)])),
              body: Buffer.concat(chunks).toString(),
            });
          });
        });
        forwarded.on("error", reject);
        forwarded.end(body);
      }),
    expireSessions: () => aws.expireSessions(),
    // As AWS does it: by a policy of the role.
    revokeSessions: (on) => void setRole(on ? [] : [permission]),
    warp: (ms) => aws.clock.advance(ms),
    async close() {
      agent.destroy();
      await aws.close();
    },
  };
}

interface Session {
  readonly expiresAt: number;
  revoked: boolean;
}

const SESSION_MS = 3_600_000;
/** Milliseconds that a signature's time may be off at Lambda. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** A few lines that answer as AWS does and check sessions and clocks only: fast, so that the client is what is measured. */
export function stubBackend(seed: number): Backend {
  const model = new FunctionModel(seed);
  const sessions = new Map<string, Session>();
  let warped = 0;
  const now = () => Date.now() + warped;

  function assumeRole(): Answer {
    const accessKeyId = `ASIAEXAMPLE${String(sessions.size).padStart(9, "0")}`;
    const expiresAt = now() + SESSION_MS;
    sessions.set(accessKeyId, { expiresAt, revoked: false });
    const body = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>chaos</SecretAccessKey><SessionToken>${"t".repeat(600)}</SessionToken><Expiration>${new Date(expiresAt).toISOString()}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>sts</RequestId></ResponseMetadata></AssumeRoleResponse>`;
    return { status: 200, headers: { "content-type": "text/xml" }, body };
  }

  function invoke({ headers, body }: RawRequest): Answer {
    const session = sessions.get(/Credential=([^/]+)/.exec(headers["authorization"] ?? "")?.[1] ?? "");
    if (Math.abs(signedAt(headers) - now()) > CLOCK_TOLERANCE_MS) return outOfTime();
    if (!session || session.expiresAt <= now()) return expired();
    return session.revoked ? denied() : model.run(JSON.parse(body.toString())).answer;
  }

  return {
    answer(request) {
      const answer = request.path.startsWith("/2015-03-31/") ? invoke(request) : assumeRole();
      return { ...answer, headers: { ...answer.headers, date: new Date(now()).toUTCString() } };
    },
    expireSessions: () => sessions.clear(),
    revokeSessions(on) {
      for (const session of sessions.values()) session.revoked = on;
    },
    warp(ms) {
      warped += ms;
    },
    async close() {},
  };
}

/** Milliseconds since 1970, from `20260101T000000Z`. */
function signedAt(headers: Readonly<Record<string, string>>): number {
  const time = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers["x-amz-date"] ?? "");
  return time ? Date.parse(`${time[1]}-${time[2]}-${time[3]}T${time[4]}:${time[5]}:${time[6]}Z`) : Number.NaN;
}
