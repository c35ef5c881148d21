// Networks a key may be used from: CIDR blocks of IPv4 and IPv6.

import { quoted } from "./text.js";

/** An address. IPv4 inside IPv6 is IPv4. */
export interface Address {
  readonly version: 4 | 6;
  readonly bits: bigint;
}

/** A block of addresses: those whose first `prefix` bits are its own. Its other bits are 0. */
export interface Network extends Address {
  readonly prefix: number;
}

/** The text is not a network; says why. */
export class InvalidNetworkError extends Error {
  override readonly name = "InvalidNetworkError";
}

const LENGTHS = { 4: 32, 6: 128 } as const;
// ::ffff:0:0/96, where IPv4 stands inside IPv6.
const MAPPED = 0xffffn;

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
 *
 * Throws InvalidNetworkError, also where host bits are set: `10.0.0.1/8` says two things at once. IPv4 inside IPv6 is
 * refused: addresses written so count as IPv4, and would never be in it.
 */
export function parseNetwork(text: string): Network {
  const [, written = "", length] = /^([0-9A-Fa-f:.]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const address = read(written);
  if (address === undefined) {
    throw new InvalidNetworkError(`${quoted(text)} is not a network: write it as 10.0.0.0/8 or 2001:db8::/32.`);
  }
  const most = LENGTHS[address.version];
  const prefix = length === undefined ? most : Number(length);
  if (prefix > most) throw new InvalidNetworkError(`${quoted(text)} is not a network: the most is /${most}.`);
  const network = { ...address, prefix };
  if (lastOf(network) - address.bits !== (1n << BigInt(most - prefix)) - 1n) {
    throw new InvalidNetworkError(`${quoted(text)} has host bits set: set them to 0, or write a single address.`);
  }
  if (address.version === 6 && address.bits >> 32n === MAPPED) {
    throw new InvalidNetworkError(`${quoted(text)} is a network of IPv4 inside IPv6: write it as IPv4.`);
  }
  return network;
}

/** Reads an address; an IPv4 address inside IPv6 counts as IPv4. Undefined where it is none. */
export function parseAddress(text: string): Address | undefined {
  // A zone (`fe80::1%eth0`, RFC 4007) says where an IPv6 address is, and not which one it is.
  const address = read(text.replace(/^([^%]*:[^%]*)%[^%/]+$/, "$1"));
  if (address?.version === 6 && address.bits >> 32n === MAPPED) {
    return { version: 4, bits: address.bits & 0xffffffffn };
  }
  return address;
}

/** Tells whether an address is in one of the networks. No address is in none. */
export function isWithin(address: Address | undefined, networks: readonly Network[]): boolean {
  if (address === undefined) return false;
  return networks.some(
    (network) => network.version === address.version && network.bits <= address.bits && address.bits <= lastOf(network),
  );
}

/** Tells whether every address that `inner` allows is allowed by `outer`; none at all allows all. */
export function networksCover(outer: readonly Network[], inner: readonly Network[]): boolean {
  if (outer.length === 0) return true;
  return inner.length > 0 && inner.every((network) => isCovered(network, outer));
}

/** Goes through the networks in their order, as far as they leave no gap: two halves allow the whole. */
function isCovered(network: Network, outer: readonly Network[]): boolean {
  const same = outer.filter(({ version }) => version === network.version);
  same.sort((one, other) => (one.bits < other.bits ? -1 : 1));
  let next = network.bits;
  for (const each of same) {
    const last = lastOf(each);
    if (each.bits <= next && next <= last) next = last + 1n;
  }
  return next > lastOf(network);
}

/** The last address of a network. */
function lastOf({ version, bits, prefix }: Network): bigint {
  return bits | ((1n << BigInt(LENGTHS[version] - prefix)) - 1n);
}

function read(text: string): Address | undefined {
  const [version, bits] = text.includes(":") ? ([6, readIpv6(text)] as const) : ([4, readIpv4(text)] as const);
  return bits === undefined ? undefined : { version, bits };
}

function readIpv4(text: string): bigint | undefined {
  const octets = text.split(".");
  // A leading zero would be octal to some.
  if (octets.length !== 4 || !octets.every((octet) => /^(?:0|[1-9][0-9]{0,2})$/.test(octet))) return undefined;
  const numbers = octets.map(Number);
  if (numbers.some((number) => number > 255)) return undefined;
  return numbers.reduce((bits, number) => (bits << 8n) | BigInt(number), 0n);
}

function readIpv6(text: string): bigint | undefined {
  const halves = text.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const [before = [], after] = halves;
  if (halves.length > 2) return undefined;
  const groups = groupsOf(before, after === undefined);
  const rest = groupsOf(after ?? [], true);
  if (groups === undefined || rest === undefined) return undefined;
  const gap = 8 - groups.length - rest.length;
  if (after === undefined ? gap !== 0 : gap < 1) return undefined;
  const all = [...groups, ...Array<bigint>(gap).fill(0n), ...rest];
  return all.reduce((bits, group) => (bits << 16n) | group, 0n);
}

/** The groups of 16 bits; the last of an address may be written as IPv4. */
function groupsOf(written: readonly string[], isEnd: boolean): readonly bigint[] | undefined {
  const groups: bigint[] = [];
  for (const [at, text] of written.entries()) {
    const ipv4 = isEnd && at === written.length - 1 ? readIpv4(text) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >> 16n, ipv4 & 0xffffn);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(text)) groups.push(BigInt(`0x${text}`));
    else return undefined;
  }
  return groups;
}
