import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { isWithin, type Network, networksCover, parseAddress, parseNetwork } from "../../src/core/index.js";

function networks(text: string): readonly Network[] {
  return text === "" ? [] : text.split(" ").map(parseNetwork);
}

for (const text of [
  "",
  "10.0.0.1/8",
  "10.0.0.0/33",
  "10.0.0",
  "host",
  "10.0.0.0 /8",
  "10.0.0.0/",
  "10.0.0.0/-1",
  "2001:db8::/129",
  "2001:db8::1/32",
  "::ffff:10.0.0.0/104",
  "::ffff:10.0.0.1",
]) {
  test(`what is no network, or says two things, is refused by name: ${text}`, () => {
    throws(
      () => parseNetwork(text),
      (error: Error) => {
        deepStrictEqual(["InvalidNetworkError", true], [error.name, error.message.includes(JSON.stringify(text))]);
        return true;
      },
    );
  });
}

for (const [bits, version, text] of [
  [0x0a010203n, 4, "10.1.2.3"],
  [0x0a010203n, 4, "::ffff:10.1.2.3"],
  [0x0a010203n, 4, "::FFFF:a01:203"],
  [(0x20010db8n << 96n) | 1n, 6, "2001:DB8:0::1"],
  [(0x20010db8n << 96n) | 1n, 6, "2001:db8:0:0:0:0:0.0.0.1"],
  [0n, 6, "::"],
  [1n, 6, "::1"],
  [(0xfe80n << 112n) | 1n, 6, "fe80::1%eth0"],
  [1n << 112n, 6, "1::"],
] as const) {
  test(`an address is read: ${text}`, () => {
    deepStrictEqual({ version, bits }, parseAddress(text));
  });
}

for (const text of [
  "",
  "10.1.2.3:80",
  "10.1.2",
  "10.1.2.256",
  "010.1.2.3",
  "0x0a.1.2.3",
  " 10.1.2.3",
  "10.1.2.3%eth0",
  "10.1.2.3%::",
  "[::1]",
  ":",
  ":::",
  "1::2::3",
  ":1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7",
  "1:2:3:4::5:6:7:8",
  "12345::",
  "1.2.3.4::",
  "g::",
  "fe80::1%",
]) {
  test(`what is no address is none: ${JSON.stringify(text)}`, () => {
    strictEqual(undefined, parseAddress(text));
    strictEqual(false, isWithin(parseAddress(text), networks("0.0.0.0/0 ::/0")));
  });
}

for (const [within, address, text] of [
  [true, "10.255.255.255", "10.0.0.0/8"],
  [false, "11.0.0.0", "10.0.0.0/8"],
  [false, "9.255.255.255", "10.0.0.0/8"],
  [true, "192.0.2.7", "10.0.0.0/8 192.0.2.7"],
  [false, "192.0.2.8", "192.0.2.7"],
  [true, "::ffff:10.1.2.3", "10.0.0.0/8"],
  [false, "::ffff:10.1.2.3", "::/0"],
  [false, "::1", "0.0.0.0/0"],
  [true, "2001:db8:ffff::", "2001:db8::/32"],
  [false, "2001:db9::", "2001:db8::/32"],
] as const) {
  test(`${address} is ${within ? "" : "not "}in ${text}`, () => {
    strictEqual(within, isWithin(parseAddress(address), networks(text)));
  });
}

for (const [covered, outer, inner] of [
  [true, "", ""],
  [true, "", "10.0.0.0/8"],
  [false, "10.0.0.0/8", ""],
  [true, "10.0.0.0/8", "10.0.0.0/8"],
  [true, "10.0.0.0/8 192.0.2.0/24", "192.0.2.7 10.1.0.0/16"],
  [false, "10.0.0.0/8", "10.0.0.0/7"],
  [false, "10.0.0.0/8", "10.0.0.1 11.0.0.1"],
  [true, "10.128.0.0/9 10.0.0.0/9", "10.0.0.0/8"],
  [true, "10.0.0.0/8 10.0.0.0/16 10.1.0.0/16", "10.0.0.0/8"],
  [false, "10.0.0.0/9 10.192.0.0/10", "10.0.0.0/8"],
  [false, "0.0.0.0/0", "::/0"],
  [false, "::/0", "10.0.0.0/8"],
  [true, "::/0 0.0.0.0/0", "2001:db8::/32 10.0.0.0/8"],
] as const) {
  test(`what ${inner || "anywhere"} allows is ${covered ? "" : "not "}allowed by ${outer || "anywhere"}`, () => {
    strictEqual(covered, networksCover(networks(outer), networks(inner)));
  });
}
