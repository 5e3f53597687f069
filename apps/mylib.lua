-- A module is a file that returns a table. `require "mylib"` runs this file once in each VM and
-- remembers the table; when you save a change, Relua makes every VM forget it, so that the next
-- request loads it anew.
--
-- Try it: open http://127.0.0.1:8080/luatest, change the version below, save, and reload the page.
-- Break the syntax and save: the old code goes on answering, and the terminal says what is wrong.

local M = {}

-- Called for each request to /luatest (see watch.config.ts).
function M.run()
    ngx.say("hello from mylib, version 1")
end

return M
