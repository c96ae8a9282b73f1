-- The engine answers every edit with the same function, and a commit message.
return {
  {
    "an instruction changes the selection after a look at the diff",
    function(t)
      t.open("a.py", { "def add(a, b):", "    return a - b", "", "x = 1" })
      vim.cmd("1,2Heron edit add instead")
      t.wait("the diff", function()
        return vim.wo.diff
      end)
      t.equal(t.text(), "def add(a, b):\n    return a + b\n\nx = 1")
      t.press("a")
      t.equal(#vim.api.nvim_list_tabpages(), 1)
      t.equal(t.text(), "def add(a, b):\n    return a + b\n\nx = 1")
      t.press("u")
      t.equal(t.text(), "def add(a, b):\n    return a - b\n\nx = 1")
    end,
  },
  {
    "a diff of a file that was changed meanwhile is not applied",
    function(t)
      vim.cmd("1,2Heron edit add instead")
      t.wait("the diff", function()
        return vim.wo.diff
      end)
      vim.api.nvim_buf_set_lines(vim.fn.bufnr("a.py"), -1, -1, false, { "y = 2" })
      t.press("a")
      t.equal(t.text(), "def add(a, b):\n    return a - b\n\nx = 1\ny = 2")
      t.equal(t.told[#t.told]:match("changed meanwhile") ~= nil, true)
    end,
  },
  {
    "doc is the code action where there is one",
    function(t)
      t.open("doc.py", { "def add(a, b):", "    return a + b" })
      vim.cmd("1Heron doc")
      t.wait("the diff", function()
        return vim.wo.diff
      end)
      t.press("a")
      t.equal(vim.api.nvim_buf_get_lines(0, 0, 2, false), { "def add(a, b):", '    """Add two numbers.' })
    end,
  },
  {
    "fix mends what another server found",
    function(t)
      t.open("fix.py", { "def add(a, b):", "    return a - b" })
      local namespace = vim.api.nvim_create_namespace("other")
      local found = { lnum = 1, col = 11, end_col = 16, message = "wrong operator", severity = 1 }
      vim.diagnostic.set(namespace, 0, { found })
      vim.cmd("2Heron fix")
      t.wait("the diff", function()
        return vim.wo.diff
      end)
      t.press("a")
      t.equal(t.text(), "def add(a, b):\n    return a + b")
    end,
  },
  {
    "a change that creates a file is asked about, not shown as a diff",
    function(t)
      local client = vim.lsp.get_clients({ bufnr = 0, name = "heron" })[1]
      local uri = vim.uri_from_fname(vim.fs.joinpath(vim.fn.getcwd(), "test_fix.py"))
      local start = { line = 0, character = 0 }
      local inserted = { range = { start = start, ["end"] = start }, newText = "import fix\n" }
      local changes = {
        { kind = "create", uri = uri },
        { textDocument = { uri = uri }, edits = { inserted } },
      }
      local asked
      local select = vim.ui.select
      vim.ui.select = function(items, options, choose)
        asked = options.prompt
        choose(items[1])
      end
      require("heron.edit").propose(client, 0, { documentChanges = changes }, "Write a test")
      vim.ui.select = select
      t.equal(asked, "Write a test: changes test_fix.py")
      t.equal(vim.api.nvim_buf_get_lines(vim.uri_to_bufnr(uri), 0, 1, false), { "import fix" })
    end,
  },
  {
    "a commit message is yanked, and put into a commit's buffer",
    function(t)
      vim.fn.system({ "git", "init", "--quiet" })
      vim.cmd("silent write")
      vim.fn.system({ "git", "add", "fix.py" })
      vim.cmd("Heron commit")
      t.wait("the message", function()
        return vim.fn.getreg('"') == "Add the numbers instead"
      end)
      vim.cmd("enew | setlocal buftype=nofile filetype=gitcommit")
      vim.cmd("Heron commit")
      t.wait("the message", function()
        return t.text() == "Add the numbers instead\n"
      end)
    end,
  },
  {
    "an unknown command names those there are",
    function(t)
      vim.cmd("Heron dance")
      t.equal(vim.startswith(t.told[#t.told], "Heron: there is no :Heron dance. Known: chat, commit"), true)
    end,
  },
  {
    "commands are completed",
    function(t)
      t.equal(vim.fn.getcompletion("Heron ", "cmdline"), {
        "chat", "commit", "doc", "edit", "explain", "fix", "log", "model", "pause", "status", "tests",
      })
      t.equal(vim.fn.getcompletion("Heron ex", "cmdline"), { "explain" })
      local models = vim.fn.getcompletion("Heron model qwen", "cmdline")
      t.equal(vim.tbl_contains(models, "qwen2.5-coder-0.5b-instruct"), true, vim.inspect(models))
    end,
  },
  {
    "the log of Neovim's clients is opened",
    function(t)
      vim.cmd("Heron log")
      t.equal(vim.fs.basename(vim.api.nvim_buf_get_name(0)), "lsp.log")
      vim.cmd.close()
    end,
  },
  {
    "status and health tell of the server",
    function(t)
      vim.cmd("Heron status")
      t.equal(t.told[#t.told]:match("ready %(scripted%)"), "ready (scripted)")
      vim.cmd("checkhealth heron")
      t.wait("the report", function()
        return t.text():find("Keys", 1, true)
      end)
      local report = t.text()
      local parts = { "setup%(%) was called", "heron %d+%.%d+", "it runs for %d+ buffer", "ready", "accept: <Tab>" }
      for _, part in ipairs(parts) do
        t.equal(report:match(part) ~= nil, true, part .. " in " .. report)
      end
    end,
  },
}
