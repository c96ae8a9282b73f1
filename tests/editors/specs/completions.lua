-- The engine answers "price * count" after "total =", and a block after "def f():".
local function fresh(t, name, lines)
  t.press("<Esc>")
  t.open(name, lines)
end

--- Record what the client notifies from now on, of the methods about completions.
local function record_events()
  local client = vim.lsp.get_clients({ bufnr = 0, name = "heron" })[1]
  local notify, events = client.notify, {}
  client.notify = function(self, method, params)
    if method:find("DismissCompletion") then
      events[#events + 1] = { method:match("/(%a+)"), params.textDocument.uri }
    elseif method:find("ShowCompletion") or method:find("AcceptCompletion") then
      events[#events + 1] = { method:match("/(%a+)"), params.item.insertText, params.acceptedLength }
    end
    return notify(self, method, params)
  end
  return events, function()
    client.notify = notify
  end
end

return {
  {
    "ghost text appears and is accepted",
    function(t)
      t.open("a.py", { "total =" })
      t.press("A ")
      t.expect_ghost("price * count")
      t.equal(t.text(), "total = ")
      t.press("<Tab>")
      t.wait("the accepted text", function()
        return t.text() == "total = price * count"
      end)
      t.equal(vim.api.nvim_win_get_cursor(0), { 1, 21 })
      t.equal(t.ghost(), nil)
    end,
  },
  {
    "undo after accepting leaves the buffer as it was before",
    function(t)
      t.press("<Esc>u")
      t.equal(t.text(), "total = ")
      t.press("u")
      t.equal(t.text(), "total =")
    end,
  },
  {
    "what is typed through stays, and the rest is accepted",
    function(t)
      fresh(t, "b.py", { "total =" })
      t.press("A ")
      t.expect_ghost("price * count")
      t.press("p")
      t.press("r")
      t.expect_ghost("ice * count")
      t.press("<Tab>")
      t.wait("the accepted text", function()
        return t.text() == "total = price * count"
      end)
    end,
  },
  {
    "what does not fit goes away at once",
    function(t)
      fresh(t, "c.py", { "total =" })
      t.press("A ")
      t.expect_ghost("price * count")
      t.press("x")
      t.wait("no ghost text", function()
        return t.ghost() == nil
      end)
      t.equal(require("heron.completion").is_shown(), false)
      t.press("<Tab>")
      t.equal(t.text(), "total = x   ") -- the key itself: to the next stop of Python's four
    end,
  },
  {
    "it is dismissed by key",
    function(t)
      fresh(t, "d.py", { "total =" })
      t.press("A ")
      t.expect_ghost("price * count")
      local events, stop = record_events()
      t.press("<C-]>")
      t.wait("no ghost text", function()
        return t.ghost() == nil
      end)
      stop()
      t.equal(events, { { "didDismissCompletion", vim.uri_from_bufnr(0) } })
      t.press("<Esc>")
      t.equal(t.text(), "total = ")
    end,
  },
  {
    "a word, then the line, then the next line",
    function(t)
      fresh(t, "e.py", { "def f():" })
      local events, stop = record_events()
      t.press("o") -- Python's indentation is made by Neovim
      t.expect_ghost("x = 1\n    return x")
      t.press("<M-Right>")
      t.wait("a word", function()
        return t.text() == "def f():\n    x"
      end)
      t.expect_ghost(" = 1\n    return x")
      t.press("<M-C-Right>")
      t.wait("the line", function()
        return t.text() == "def f():\n    x = 1"
      end)
      t.expect_ghost("\n    return x")
      t.press("<M-C-Right>")
      t.wait("the next line", function()
        return t.text() == "def f():\n    x = 1\n    return x"
      end)
      stop()
      local text = "x = 1\n    return x"
      t.equal(events[1], { "didShowCompletion", text })
      t.equal(events[2], { "didPartiallyAcceptCompletion", text, 1 })
      t.equal(vim.tbl_contains(events, function(event)
        return event[1] == "didPartiallyAcceptCompletion" and vim.endswith(text, event[2]) and event[3] >= 4
      end, { predicate = true }), true, vim.inspect(events))
      t.press("<Esc>uu")
      t.equal(t.text(), "def f():\n    x")
    end,
  },
  {
    "leaving insert mode takes it away",
    function(t)
      fresh(t, "f.py", { "total =" })
      t.press("A ")
      t.expect_ghost("price * count")
      t.press("<Esc>")
      t.equal(t.ghost(), nil)
    end,
  },
  {
    "wide letters and tabs",
    function(t)
      fresh(t, "g.py", { "größe = '日本' + total =" })
      t.press("A ")
      t.expect_ghost("price * count")
      t.press("<Tab>")
      t.wait("the accepted text", function()
        return t.text() == "größe = '日本' + total = price * count"
      end)
    end,
  },
  {
    "pause takes it away, and it comes back",
    function(t)
      fresh(t, "h.py", { "total =" })
      vim.cmd("Heron pause")
      t.equal(require("heron").statusline(), "Heron paused")
      t.press("A ")
      t.equal(vim.fn.maparg("<Tab>", "i", false, true).buffer or 0, 0)
      t.press("<Esc>")
      t.equal(t.ghost(), nil)
      vim.cmd("Heron pause")
      t.equal(require("heron").statusline(), "Heron ready")
      t.press("A<BS>")
      t.press(" ")
      t.expect_ghost("price * count")
      t.press("<Esc>")
    end,
  },
  {
    "a key with nothing to accept does what it was mapped to",
    function(t)
      local cases = {
        { "TAB", { expr = true } },
        { "<C-v>u0054", { replace_keycodes = true, expr = true } },
      }
      for index, case in ipairs(cases) do
        vim.keymap.set("i", "<Tab>", function()
          return case[1]
        end, case[2])
        fresh(t, ("key%d.py"):format(index), { "" })
        t.press("i<Tab>")
        t.equal(t.text(), index == 1 and "TAB" or "T")
      end
      vim.keymap.set("i", "<Tab>", "plain<CR>x")
      fresh(t, "key3.py", { "" })
      t.press("i<Tab>")
      t.equal(t.text(), "plain\nx")
      t.press("<Esc>")
    end,
  },
  {
    "the server is told where the cursor is",
    function(t)
      fresh(t, "cursor.py", { "a = 1", "b = 2" })
      local client = vim.lsp.get_clients({ bufnr = 0, name = "heron" })[1]
      local notify, told = client.notify, {}
      client.notify = function(self, method, params)
        if method == "heron/didChangeCursor" then
          told[#told + 1] = params.position
        end
        return notify(self, method, params)
      end
      t.press("j$")
      t.wait("the cursor", function()
        return #told > 0 and told[#told].line == 1 and told[#told].character == 4
      end)
      client.notify = notify
    end,
  },
}
