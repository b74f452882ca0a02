import type { Certificate } from '@posthorn/smtp/net/server-tls';

/** Self-signed for other.example.test; good for a hundred years, and for nothing but tests. */
export const otherCertificate: Certificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBrzCCAVagAwIBAgIUHwGI6l7XH2IjO30SFdhDFABl55YwCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSb3RoZXIuZXhhbXBsZS50ZXN0MCAXDTI2MTEyNTEzMTcxN1oY
DzIxMjYxMTAxMTMxNzE3WjAdMRswGQYDVQQDDBJvdGhlci5leGFtcGxlLnRlc3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQoYGmae9CaKAZORM4vLi5RtqetYn+T
Fq0b3g5r1lrrRHhtBPK+xtM3RKp9iS0N+YKZhiO0XKqySqHkK6kibIqto3IwcDAd
BgNVHQ4EFgQU4dTEgRTAG2qF2ffdj9rbcazHaGkwHwYDVR0jBBgwFoAU4dTEgRTA
G2qF2ffdj9rbcazHaGkwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHREEFjAUghJvdGhl
ci5leGFtcGxlLnRlc3QwCgYIKoZIzj0EAwIDRwAwRAIgXvsL9NsZZkApuPcHFc45
qrIg/glTUCjujF+adzuPA5wCIEwEDkc1/TfdIpb+7+p9XaNIXkjStQVpIHFWPpiZ
/5++
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg93+/SxtgtgMGNDsn
Tojh3W7OXF7sZGfqBIUG1yWh2VOhRANCAAQoYGmae9CaKAZORM4vLi5RtqetYn+T
Fq0b3g5r1lrrRHhtBPK+xtM3RKp9iS0N+YKZhiO0XKqySqHkK6kibIqt
-----END PRIVATE KEY-----
`,
};
