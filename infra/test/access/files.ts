import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

const scratch = mkdtempSync(join(tmpdir(), 'tidegate-access-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** The example that people copy. */
export const EXAMPLE = join(__dirname, '..', '..', 'access', 'example.yaml');

export const PEM_FILE = join(__dirname, '..', '..', 'access', 'example-idp.pem');

const KEY = readFileSync(PEM_FILE, 'utf8').replace(/-----.*-----|\s/g, '');

/** Metadata of an identity provider, as far as anybody here looks into it. */
export const METADATA = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/metadata">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${KEY}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>
`;

let folders = 0;

/** A file with this text, in a folder of its own, with a certificate (`idp.pem`) and metadata (`idp.xml`) beside it. */
export function accessFile(text: string): string {
  const folder = join(scratch, `files-${folders++}`);
  mkdirSync(folder, { recursive: true });
  cpSync(PEM_FILE, join(folder, 'idp.pem'));
  writeFileSync(join(folder, 'idp.xml'), METADATA);
  const file = join(folder, 'access.yaml');
  writeFileSync(file, text);
  return file;
}

/** Sign-in by SAML, checked by the function. */
export const SAML = `saml:
  verify: here
  issuer: https://idp.example.com/metadata
  signOnUrl: https://idp.example.com/sso
  certificates: [idp.pem]
  claims:
    profile: nameId
    domain: { attribute: domain }
    role: { attribute: role }
domains:
  - name: team1
    id: d-0team1
    executionRoles: { analyst: team/analyst, engineer: 'arn:{{partition}}:iam::{{account}}:role/engineer' }
  - name: team2
    id: d-0team2
    defaultExecutionRole: analyst2
    tags: { costs: '42' }
`;

/** Sign-in by Cognito, over the internet, from an office. */
export const COGNITO = `network: regional
addresses: [203.0.113.0/24]
cognito:
  mfa: optional
  invite: { name: ann, mail: ann@example.com, domain: team1 }
domains:
  - name: team1
  - name: team2
    group: second
`;

/** Assertions that AWS verifies. */
export const BY_AWS = `saml:
  verify: aws
  issuer: https://idp.example.com/metadata
  metadata: idp.xml
domains:
  - name: team1
    id: d-0team1
    defaultExecutionRole: analyst
  - name: team2
    id: d-0team2
`;

/** A pool that takes people from an identity provider, open to the internet. */
export const FEDERATED = `network: regional
saml:
  verify: here
  issuer: https://idp.example.com/metadata
  startedAtIdp: true
  certificates: [idp.pem]
  claims: { profile: { attribute: mail }, domain: { attribute: domain } }
cognito:
  federation: { name: corporate, metadata: idp.xml, attributes: { email: mail } }
profile: { form: hashed }
domains:
  - name: team1
`;
