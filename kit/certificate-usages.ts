// What a certificate's key may be used for, in the words of Kubernetes' API: a bit of the key usage, or one of the extended usages.
// Kubernetes: pkg/controller/certificates/authority/policies.go; the bits are those of RFC 5280, 4.2.1.3

/** By the word: a bit's number. */
export const keyUsageBits: Record<string, number> = {
  'digital signature': 0,
  signing: 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
  'decipher only': 8,
};

/** By the word: an object identifier. */
export const extendedKeyUsages: Record<string, string> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

/** Every word that there is, in the order of the alphabet. */
export const certificateUsages = [...Object.keys(keyUsageBits), ...Object.keys(extendedKeyUsages)].sort();
