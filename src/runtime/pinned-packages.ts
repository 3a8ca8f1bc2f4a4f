/** The runtime that bitgate is built and tested with, by the digests of package-lock.json; a test holds the two together. */

export const ONNXRUNTIME_VERSION = '1.30.0';

/** A package of the npm registry: `integrity` is the digest of its tarball (SRI, sha512), `tarballBytes` its size. */
export type PinnedPackage = {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  readonly tarballBytes: number;
};

export const PINNED_PACKAGES: readonly PinnedPackage[] = [
  {
    name: 'onnxruntime-node',
    version: ONNXRUNTIME_VERSION,
    integrity: 'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==',
    tarballBytes: 113_507_888,
  },
  {
    name: 'onnxruntime-common',
    version: ONNXRUNTIME_VERSION,
    integrity: 'sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==',
    tarballBytes: 66_795,
  },
];
