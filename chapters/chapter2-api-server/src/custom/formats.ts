// Formats: what a text is about. Those that a schema may name, and this server knows; what it does not know, it does not check.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go

import { isIP, isIPv4, isIPv6 } from 'node:net';

const date = '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])';
const time = '([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})';

const formats: Record<string, (text: string) => boolean> = {
  'date-time': (text) => new RegExp(`^${date}T${time}$`, 'i').test(text),
  date: (text) => new RegExp(`^${date}$`).test(text),
  email: (text) => /^[^@\s]+@[^@\s]+$/.test(text),
  hostname: (text) => /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/i.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: (text) => {
    const [address = '', bits = '', ...rest] = text.split('/');
    return rest.length === 0 && isIP(address) !== 0 && /^\d+$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128);
  },
  uri: (text) => URL.canParse(text) || text.startsWith('/'),
  uuid: (text) => /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text),
  byte: (text) => /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  duration: (text) => /^([+-]?\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text),
};

export function hasFormat(text: string, format: string): boolean {
  return !Object.hasOwn(formats, format) || (formats[format]?.(text) ?? true);
}
