-- The engine answers with a code block, or holds its answer after a few pieces when it is asked to "wait".
local function chat_text()
  return table.concat(vim.api.nvim_buf_get_lines(require("heron.chat.window").buffer(), 0, -1, false), "\n")
end

local function shows(t, text)
  t.wait("the chat to show " .. text, function()
    return chat_text():find(text, 1, true)
  end)
end

return {
  {
    "an answer streams into a Markdown split",
    function(t)
      vim.o.wrap = false
      t.open("a.py", { "def add(a, b):", "    return a - b" })
      vim.cmd("2Heron chat What is wrong?")
      t.equal(vim.bo.filetype, "markdown")
      t.equal(#vim.api.nvim_list_wins(), 2)
      shows(t, "## You\n\nWhat is wrong?\n\n## Heron\n")
      shows(t, "```python\n    return a + b\n```")
      shows(t, "Adds now.")
      t.equal(vim.bo.modifiable, false)
      t.equal(vim.api.nvim_get_option_value("wrap", { scope = "global" }), false, "options of other windows")
    end,
  },
  {
    "its code block is applied after a look at the diff",
    function(t)
      t.wait("the end of the turn", function()
        return chat_text():find("return a + b", 1, true)
      end)
      vim.fn.search("return a + b", "w")
      t.press("a")
      t.wait("the diff", function()
        return #vim.api.nvim_list_tabpages() == 2 and vim.wo.diff
      end)
      t.equal(t.text(), "def add(a, b):\n    return a + b")
      t.press("a")
      t.wait("the diff to close", function()
        return #vim.api.nvim_list_tabpages() == 1
      end)
      t.equal(vim.fn.readfile("a.py"), { "def add(a, b):", "    return a - b" })
      local lines = vim.api.nvim_buf_get_lines(vim.fn.bufnr("a.py"), 0, -1, false)
      t.equal(lines, { "def add(a, b):", "    return a + b" })
    end,
  },
  {
    "a diff that is rejected changes nothing",
    function(t)
      vim.fn.search("return a + b", "w")
      t.press("a")
      t.wait("the diff", function()
        return vim.wo.diff
      end)
      t.press("q")
      t.equal(#vim.api.nvim_list_tabpages(), 1)
      local lines = vim.api.nvim_buf_get_lines(vim.fn.bufnr("a.py"), 0, -1, false)
      t.equal(lines, { "def add(a, b):", "    return a + b" })
    end,
  },
  {
    "commands ask about the selection",
    function(t)
      t.press("q")
      vim.cmd.buffer("a.py")
      vim.cmd("1,2Heron explain in a word")
      shows(t, "/explain in a word")
      shows(t, "It explains lines of add.")
    end,
  },
  {
    "a new conversation begins empty",
    function(t)
      t.press("R")
      t.equal(chat_text(), "")
    end,
  },
  {
    "what the next question comes with is read while it is typed",
    function(t)
      local client, asked = require("heron.server").client(), {}
      client.request = function(self, method, params, ...)
        asked[method] = params
        return getmetatable(self).__index.request(self, method, params, ...)
      end
      t.press("q")
      vim.cmd.buffer("a.py")
      vim.cmd("1,2Heron chat")
      t.wait("the draft", function()
        return asked["conversation/warm"]
      end)
      client.request = nil
      t.equal(asked["conversation/warm"].selection.start, { line = 0, character = 0 })
    end,
  },
  {
    "the code action that explains asks here",
    function(t)
      t.press("q")
      vim.cmd.buffer("a.py")
      vim.lsp.buf.code_action({
        range = { start = { 1, 0 }, ["end"] = { 2, 16 } },
        filter = function(action)
          return action.title == "Explain the selection"
        end,
        apply = true,
      })
      shows(t, "It explains lines of add.")
      shows(t, "*Ask on")
    end,
  },
  {
    "an answer is stopped, and what came is kept",
    function(t)
      vim.cmd("Heron chat please wait")
      shows(t, "One moment")
      t.press("s")
      shows(t, "> Stopped.")
      t.press("q")
      t.equal(#vim.api.nvim_list_wins(), 1)
    end,
  },
}
