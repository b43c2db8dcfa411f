// HPACK's Huffman code (RFC 7541, section 5.2 and appendix B). The code is canonical: all codes follow from their lengths, shorter codes
// first, codes of one length in the order of their symbols.

/** Which symbols have a code of so many bits. */
const symbolsByLength: [bits: number, symbols: string][] = [
  [5, '48-50 97 99 101 105 111 115-116'],
  [6, '32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117'],
  [7, '58 66-87 89 106-107 113 118-122'],
  [8, '38 42 44 59 88 90'],
  [10, '33-34 40-41 63'],
  [11, '39 43 124'],
  [12, '35 62'],
  [13, '0 36 64 91 93 126'],
  [14, '94 125'],
  [15, '60 96 123'],
  [19, '92 195 208'],
  [20, '128 130-131 162 184 194 224 226'],
  [21, '153 161 167 172 176-177 179 209 216-217 227 229-230'],
  [22, '129 132-134 136 146 154 156 160 163-164 169-170 173 178 181 185-187 189-190 196 198 228 232-233'],
  [23, '1 135 137-141 143 147 149-152 155 157-158 165-166 168 174-175 180 182-183 188 191 197 231 239'],
  [24, '9 142 144-145 148 159 171 206 215 225 236-237'],
  [25, '199 207 234-235'],
  [26, '192-193 200-202 205 210 213 218-219 238 240 242-243 255'],
  [27, '203-204 211-212 214 221-223 241 244-248 250-254'],
  [28, '2-8 11-12 14-21 23-31 127 220 249'],
  [30, '10 13 22 256'],
];
const endOfString = 256;

/** A node: where to go on a 0 and on a 1; a symbol is written as its complement (-1 - symbol), nowhere as 0. */
type Node = [zero: number, one: number];
const tree = buildTree();

function buildTree(): Node[] {
  const nodes: Node[] = [[0, 0]];
  let code = 0;
  let length = 0;
  for (const [bits, symbols] of symbolsByLength) {
    code *= 2 ** (bits - length);
    length = bits;
    for (const symbol of symbols.split(' ').flatMap(expand)) addCode(nodes, code++, bits, symbol);
  }
  return nodes;
}

/** `48-50`: 48, 49, 50 */
function expand(symbols: string): number[] {
  const [first = 0, last = first] = symbols.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function addCode(nodes: Node[], code: number, bits: number, symbol: number): void {
  let at = 0;
  for (let bit = bits - 1; bit > 0; bit--) {
    const node = nodes[at] as Node;
    const side = (code >>> bit) & 1;
    node[side] ||= nodes.push([0, 0]) - 1;
    at = node[side] as number;
  }
  (nodes[at] as Node)[code & 1] = -1 - symbol;
}

/** Bytes as characters (latin1); undefined if it is no Huffman code: the symbol "end of string", or wrong padding. */
export function decodeHuffman(bytes: Buffer): string | undefined {
  const decoded: number[] = [];
  let node = tree[0] as Node;
  let padding = 0;
  let isAllOnes = true;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const side = (byte >>> bit) & 1;
      const next = node[side] as number;
      padding += 1;
      isAllOnes &&= side === 1;
      if (next > 0) {
        node = tree[next] as Node;
        continue;
      }
      const symbol = -1 - next;
      if (symbol === endOfString) return undefined;
      decoded.push(symbol);
      node = tree[0] as Node;
      padding = 0;
      isAllOnes = true;
    }
  }
  return padding < 8 && isAllOnes ? Buffer.from(decoded).toString('latin1') : undefined;
}
