// A real Scopekey server on loopback: a home folder of its own, ended by its own process id.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "../../../../..");
/** The command line of this repository. */
export const COMMAND: string = process.env.SCOPEKEY_COMMAND ?? join(ROOT, ".venv/bin/scopekey");
const READY_WITHIN_MS = 30_000;

const CATALOG = `name = "shop"
[[resource]]
name = "datasets"
title = "Datasets"
[[resource]]
name = "jobs"
title = "Jobs"
`;

/** The spec folder of the repository: vectors and the OpenAPI document. */
export const SPEC: string = join(ROOT, "spec");

/** What a server is begun with. */
export interface Beginning {
  /** TOML; the default offers read and write on datasets and jobs. */
  catalog?: string;
  /** TOML. */
  rules?: string;
  /** More `SCOPEKEY_*` settings. */
  settings?: Record<string, string>;
}

/** A running `scopekey serve`. `operator` is the printed key that may do everything. */
export class Server {
  private process: ChildProcess | undefined;

  private constructor(
    readonly home: string,
    readonly port: number,
    readonly operator: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** Begin a deployment in a new folder and start its server. */
  static async start(beginning: Beginning = {}): Promise<Server> {
    const home = await mkdtemp(join(tmpdir(), "scopekey-ts-"));
    const catalog = join(home, "catalog.toml");
    await writeFile(catalog, beginning.catalog ?? CATALOG);
    const environment: NodeJS.ProcessEnv = {
      ...withoutSettings(process.env),
      SCOPEKEY_HOME: join(home, "home"),
      SCOPEKEY_CATALOG: catalog,
      ...beginning.settings,
    };
    if (beginning.rules !== undefined) {
      environment.SCOPEKEY_RULES = join(home, "rules.toml");
      await writeFile(environment.SCOPEKEY_RULES, beginning.rules);
    }
    const file = join(home, "operator.key");
    await run(COMMAND, ["init", "--key-file", file], { env: environment, cwd: home });
    const server = new Server(home, await freePort(), (await readFile(file, "utf8")).trim(), environment);
    await server.up();
    return server;
  }

  /** Where it answers. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Run a command of the command line on this home folder, and give what it prints. */
  async command(...words: string[]): Promise<string> {
    return (await run(COMMAND, words, { env: this.environment, cwd: this.home })).stdout;
  }

  /** Issue a key by the command line, and give its printed form. */
  async key(name: string, ...options: string[]): Promise<string> {
    const file = join(this.home, `${name}-${Math.random().toString(36).slice(2)}.key`);
    await this.command("keys", "create", name, ...options, "--key-file", file);
    return (await readFile(file, "utf8")).trim();
  }

  /** Start it, again where it was ended before, on the same port. */
  async up(): Promise<void> {
    const process = spawn(COMMAND, ["serve", "--port", String(this.port)], {
      env: this.environment,
      cwd: this.home,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    process.stderr.on("data", (part: Buffer) => {
      said = (said + part.toString()).slice(-4000);
    });
    this.process = process;
    const ends = Date.now() + READY_WITHIN_MS;
    while (!(await ready(this.url))) {
      if (process.exitCode !== null || Date.now() > ends) {
        throw new Error(`scopekey serve did not become ready: ${said}`);
      }
      await new Promise((wake) => setTimeout(wake, 30));
    }
  }

  /** End the process; the home folder stays. */
  async down(): Promise<void> {
    const process = this.process;
    if (process !== undefined && process.exitCode === null) {
      const ended = new Promise((done) => process.once("exit", done));
      process.kill("SIGTERM");
      await ended;
    }
  }

  /** End the process and remove the folder. */
  async stop(): Promise<void> {
    await this.down();
    await rm(this.home, { recursive: true, force: true });
  }
}

/** A port of loopback that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const listener = createServer();
    listener.once("error", failed);
    listener.listen(0, "127.0.0.1", () => {
      const address = listener.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      listener.close(() => found(port));
    });
  });
}

function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("SCOPEKEY_")));
}

async function ready(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}
