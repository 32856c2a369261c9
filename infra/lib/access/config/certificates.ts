import { X509Certificate } from 'node:crypto';

/** The shortest RSA key whose signatures are accepted, in bits. */
const LEAST_RSA = 2048;

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export interface Certificates {
  /** PEM, one certificate each. */
  readonly pem: readonly string[];
  /** Why it cannot be used; each completes "… holds". */
  readonly problems: readonly string[];
  /** What a person should know; each completes "… holds". */
  readonly warnings: readonly string[];
}

/** The certificates in a text: whether they can verify a signature, and until when. */
export function certificatesIn(text: string, now: Date): Certificates {
  if (/PRIVATE KEY-----/.test(text)) {
    return {
      pem: [],
      problems: ['a private key, which has no business here: give the certificate alone'],
      warnings: [],
    };
  }
  const found = text.match(BLOCK) ?? [];
  if (found.length === 0)
    return { pem: [], problems: ['no certificate: give PEM, `-----BEGIN CERTIFICATE-----…`'], warnings: [] };
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const block of found) {
    const certificate = parsed(block);
    if (certificate === undefined) {
      problems.push('PEM that is no X.509 certificate: export it from the identity provider again');
      continue;
    }
    const weak = weakness(certificate);
    if (weak !== undefined) problems.push(weak);
    const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
    const which = `a certificate (SHA-256 ${certificate.fingerprint256.slice(0, 23)}…)`;
    if (to <= now) warnings.push(`${which} that expired on ${day(to)}: nobody enters by it, take it out`);
    if (from > now) warnings.push(`${which} that is valid from ${day(from)} on: nobody enters by it before`);
  }
  return { pem: found.map((block) => `${block.replace(/\r\n?/g, '\n')}\n`), problems, warnings };
}

/** Whether any of them is valid now; else nobody can enter. */
export function anyValid(pem: readonly string[], now: Date): boolean {
  return pem.some((block) => {
    const certificate = parsed(block);
    return certificate !== undefined && new Date(certificate.validFrom) <= now && now < new Date(certificate.validTo);
  });
}

function parsed(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

function weakness({ publicKey }: X509Certificate): string | undefined {
  const kind = publicKey.asymmetricKeyType;
  if (kind === 'ec') return undefined;
  if (kind !== 'rsa')
    return `a certificate with a key of type \`${kind}\`: signatures are accepted from RSA and ECDSA keys`;
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  return bits < LEAST_RSA ? `a certificate with an RSA key of ${bits} bits: ${LEAST_RSA} are the least` : undefined;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
