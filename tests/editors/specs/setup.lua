-- Wrong options are told in one sentence, and nothing is loaded before it is used.
local function message_of(options)
  local _, problem = pcall(require("heron").setup, options)
  return problem
end

local wrong = {
  {
    { ghst = "own" },
    "Heron: unknown option ghst. "
      .. "Allowed: chat, cmd, debounce_ms, filetypes, ghost, keys, root_markers, settings.",
  },
  { { ghost = "mine" }, 'Heron: option ghost: "mine" is not one of own, builtin.' },
  { { debounce_ms = "1" }, 'Heron: option debounce_ms: "1" is not a whole number.' },
  { { debounce_ms = 9999 }, "Heron: option debounce_ms: 9999 is outside 0 to 5000." },
  { { cmd = {} }, "Heron: option cmd is empty." },
  { { cmd = "heron lsp" }, 'Heron: option cmd: "heron lsp" is not a list of texts.' },
  {
    { keys = { acept = "x" } },
    "Heron: unknown option keys.acept. Allowed: accept, accept_line, accept_word, dismiss, next, previous.",
  },
  { { keys = { accept = true } }, "Heron: option keys.accept: true is not a key such as '<Tab>', or false." },
  {
    { settings = { index = { enable = true } } },
    "Heron: unknown option settings.index.enable. Allowed: enabled.",
  },
  {
    { settings = { chat = { tools = "mine" } } },
    'Heron: option settings.chat.tools: "mine" is not one of auto, gather, model.',
  },
  { "own", 'Heron: setup: "own" is not a table.' },
}

return {
  no_setup = true,
  {
    "nothing is loaded at start",
    function(t)
      local loaded = vim.tbl_filter(function(name)
        return vim.startswith(name, "heron")
      end, vim.tbl_keys(package.loaded))
      t.equal(loaded, {})
    end,
  },
  {
    "before setup a command says what to do",
    function(t)
      vim.cmd("Heron chat")
      t.equal(t.told[#t.told], 'Heron: call require("heron").setup{} first; see :help heron-setup.')
    end,
  },
  {
    "wrong options are named, with what is allowed",
    function(t)
      for _, case in ipairs(wrong) do
        t.equal(message_of(case[1]), case[2])
      end
      t.equal(require("heron.config").is_set_up(), false)
    end,
  },
  {
    "right ones are taken, and the command works without a server",
    function(t)
      require("heron").setup(t.options)
      vim.cmd("Heron explain")
      t.equal(t.told[#t.told]:match("the server does not run"), "the server does not run")
      t.equal(require("heron").statusline(), "Heron stopped")
    end,
  },
  {
    "the settings it takes are noted, and its help has tags",
    function(t)
      t.notes.settings = require("heron.schema").settings
      vim.fn.mkdir("copy/doc", "p") -- tags are written beside the help
      assert(vim.uv.fs_copyfile(vim.env.SPEC_PLUGIN .. "/doc/heron.txt", "copy/doc/heron.txt"))
      vim.opt.runtimepath:prepend(vim.fn.getcwd() .. "/copy")
      vim.cmd.helptags("copy/doc")
      vim.cmd.help("heron-setup")
      t.equal(vim.bo.filetype, "help")
    end,
  },
}
