/** What a TLS connection to the API server needs. Absent `ca`: the public authorities that Node carries. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name to expect in the server's certificate, where it is not the host of the URL. */
  readonly servername?: string;
  /** False only where the user asked for it: the server's certificate is then not looked at. */
  readonly rejectUnauthorized?: boolean;
}

export type RequestHeaders = Readonly<Record<string, string | readonly string[]>>;

/** Which API server to talk to, and as whom. Made by `loadClusterConfig` or from client-node's `KubeConfig`. */
export interface ClusterConfig {
  /** Where this comes from, for messages: `context dev of <file>`. */
  readonly source: string;
  /** `https://host:port`, with a path before `/api` where a proxy needs one. */
  readonly server: string;
  /** The namespace for commands that name none. */
  readonly namespace: string;
  /** Whether this is a pod's own service account; `namespace` is then the pod's. */
  readonly inCluster?: boolean;
  /** Asked anew for every connection, so that rotated files take effect. */
  readonly tls: () => Promise<TlsMaterial>;
  /** Headers that say who is asking. `renew`: the API server refused what was given before. */
  readonly headers: (renew: boolean) => Promise<RequestHeaders>;
  /** Said when no connection comes about, e.g. that a proxy is set but not used. */
  readonly connectHint?: string;
}
