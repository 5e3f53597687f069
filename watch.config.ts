// Relua's own configuration: what `npm start` serves. `relua init` writes one with every key explained.
export default {
  luaPackagePath: "$prefix/apps/?.lua;$prefix/apps/?/init.lua;;",
  servers: [
    {
      listens: ["127.0.0.1:8080"],
      serverNames: [""],
      locations: [
        { location: "/luatest", lua: { content_by: "require('mylib').run()" } },
        { location: "/shop", lua: { content_by: "require('shop').handle()" } },
      ],
    },
  ],
  control: { listen: "127.0.0.1:8081", token: process.env.RELUA_TOKEN },
};
