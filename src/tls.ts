import { readFileSync } from 'node:fs';

/** TLS as the configuration says it. */
interface TlsConfig {
  readonly caFile?: string | undefined;
  readonly servername?: string | undefined;
  readonly insecure: boolean;
}

/** The same with the authority's file read. @throws {Error} the file cannot be read */
export function tlsSettings({ caFile, servername, insecure }: TlsConfig) {
  return {
    ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }),
    ...(servername !== undefined && { servername }),
    insecure,
  };
}
