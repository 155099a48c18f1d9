import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer } from "node:tls";
import { md, pki } from "node-forge";

/** A certificate authority that nobody but a test trusts. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** A key and a certificate for these names, `*.example.com` among them; PEM. */
  issue(names: readonly string[]): { readonly key: string; readonly cert: string };
}

export function createAuthority(): Authority {
  const own = newKey();
  const subject = [{ name: "commonName", value: "Authority of a test" }];

  function certify(publicKey: pki.PublicKey, name: typeof subject, extensions: readonly object[]): pki.Certificate {
    const certificate = pki.createCertificate();
    certificate.publicKey = publicKey;
    certificate.serialNumber = `0${serial++}`;
    certificate.validity.notBefore = new Date(Date.now() - 86_400_000);
    certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
    certificate.setSubject(name);
    certificate.setIssuer(subject);
    certificate.setExtensions([...extensions]);
    certificate.sign(own.privateKey, md.sha256.create());
    return certificate;
  }

  let serial = 1;
  const certificate = certify(own.publicKey, subject, [{ name: "basicConstraints", cA: true }]);
  return {
    certificate: pki.certificateToPem(certificate),
    issue(names) {
      const { publicKey, pem } = newKey();
      const altNames = names.map((value) => ({ type: 2, value }));
      const cert = certify(
        publicKey,
        [{ name: "commonName", value: "A server of a test" }],
        [{ name: "subjectAltName", altNames }],
      );
      return { key: pem, cert: pki.certificateToPem(cert) };
    },
  };
}

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const parsed = pki.privateKeyFromPem(privateKey);
  return { pem: privateKey, privateKey: parsed, publicKey: pki.setRsaPublicKey(parsed.n, parsed.e) };
}

/** TLS before what speaks plain HTTP on a port of 127.0.0.1. */
export async function startTls(certificate: { readonly key: string; readonly cert: string }, behind: number) {
  const sockets = new Set<Socket>();
  const server = createServer(certificate, (socket) => {
    const target = connect(behind, "127.0.0.1");
    target.on("error", () => socket.destroy());
    socket.on("error", () => target.destroy());
    socket.pipe(target).pipe(socket);
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  // Who does not trust the authority hangs up.
  server.on("tlsClientError", () => {});
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
