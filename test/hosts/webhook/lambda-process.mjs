// A function of the receiver's template as a process of its own: what AWS does around a handler, and the handler as it ships.
// `url`: behind an HTTP port, as a function URL. `mapping`: behind the queue, as an event source mapping.
import { once } from "node:events";
import { createServer } from "node:http";
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { drain, handler } from "../../../dist/webhook.js";

const QueueUrl = process.env["AMAZON_LAMBDA_QUEUE_URL"];

async function serveUrl() {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { statusCode, headers, body } = await handler(
      {
        version: "2.0",
        rawPath: request.url,
        rawQueryString: "",
        headers: request.headers,
        requestContext: {
          http: { method: request.method, path: request.url, sourceIp: "127.0.0.1" },
          domainName: "localhost",
        },
        body: Buffer.concat(chunks).toString("base64"),
        isBase64Encoded: true,
      },
      {},
    );
    response.writeHead(statusCode, headers).end(body);
  });
  server.listen(Number(process.argv[3] ?? 0), "127.0.0.1");
  await once(server, "listening");
  console.log(JSON.stringify({ port: server.address().port }));
}

async function pollQueue() {
  const sqs = new SQSClient({});
  console.log(JSON.stringify({ polling: true }));
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 20,
        MessageSystemAttributeNames: ["All"],
      }),
    );
    if (Messages.length === 0) continue;
    const Records = Messages.map(({ MessageId, ReceiptHandle, Body, Attributes }) => ({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: Attributes,
    }));
    const { batchItemFailures } = await drain({ Records });
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const Entries = Messages.filter(({ MessageId }) => !failed.has(MessageId)).map(({ MessageId, ReceiptHandle }) => ({
      Id: MessageId,
      ReceiptHandle,
    }));
    if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

await (process.argv[2] === "url" ? serveUrl() : pollQueue());
