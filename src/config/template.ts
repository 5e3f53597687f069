/** The watch.config.ts that `relua init` writes: every key with its default, and one location to begin with. */

/** Everything but `servers` equals the defaults; a test keeps it so. */
export const configTemplate = `// Relua's configuration. Everything here is the default but \`servers\`; leave out what you do not change.
export default {
  // $prefix and \${prefix} in paths; relative to the folder of this file.
  prefix: ".",
  // Where require looks, as in lua_package_path: ? is the module name, ;; the default path.
  luaPackagePath: "$prefix/apps/?.lua;$prefix/apps/?/init.lua;;",
  // false gives every request a fresh VM: slow, for development only.
  luaCodeCache: true,
  // Lua VMs, each in a thread of its own; "auto" is one per core.
  threads: "auto",
  // Requests in flight per VM.
  concurrency: 64,
  // lua_shared_dict: names and sizes, { sessions: "10m" }. Checked, and without effect yet.
  sharedDicts: {},
  // Lua that runs in each new VM before it serves (init_by_lua, init_worker_by_lua).
  initBy: "",
  initWorkerBy: "",
  // Responses carry x-relua-generation and x-relua-vm.
  exposeGeneration: true,
  // How long requests in flight may take to finish when the agent ends.
  shutdownMs: 10000,

  // Where Lua answers. Locations take nginx's forms: /prefix, = /exact, ^~ /prefix, ~ regex, ~* regex, @name.
  // Phases: rewrite_by, access_by, content_by, header_filter_by, body_filter_by, log_by, each also as …_by_file.
  servers: [
    {
      listens: ["127.0.0.1:8080"],
      serverNames: [""],
      locations: [{ location: "/", lua: { content_by: "ngx.say('hello from Lua')" } }],
    },
  ],

  // The control API. Any other address than loopback needs a token.
  control: {
    listen: "127.0.0.1:8081",
    token: process.env.RELUA_TOKEN,
    allowedHosts: [],
  },

  // false: reload only when told to.
  watch: {
    // Quiet time after which a change counts as complete, and the longest wait for it.
    settleMs: 20,
    maxWaitMs: 1000,
    // For mounts that deliver no events.
    polling: false,
    // How often everything is looked at again, for changes that no event told of; 0 for never.
    sweepMs: 5000,
    // Paths or globs that are never modules.
    ignore: [],
    maxFileBytes: "8m",
  },

  reload: {
    // How new code is tried before it goes live: "load" runs it, "compile" only compiles it, "off" does neither.
    preflight: "load",
    canaryMs: 10000,
    // A program of the host that must accept each changed file, ["luajit", "-bl"]; [] for none.
    hostCheck: [],
    // Names or globs ("lib.*") that are never evicted.
    pinned: [],
    // One file under two names: "warn", "error" or "off".
    aliases: "warn",
    // Load changed modules at once instead of at the next require.
    warm: true,
    // Reloads to remember.
    history: 100,
    // Replace the VMs when a pinned module changes.
    recycle: false,
  },

  limits: {
    // Per request; 0 is no limit.
    requestMs: 30000,
    instructions: 0,
    bodyBytes: "1m",
    // Per VM.
    heapMb: 256,
    // Requests waiting for a VM; beyond it the answer is 503.
    queue: 1024,
  },

  // relua check.
  check: {
    // Findings to leave out: "global-read", or { rule: "global-read", files: ["vendor/**"] }.
    ignore: [],
    // Globals that the code may read and write.
    globals: [],
    // Modules that the host provides, names or globs.
    modules: [],
  },

  // Hosts beside this agent that get every generation: nginx and OpenResty, NJet, any program.
  targets: [],
};
`;
