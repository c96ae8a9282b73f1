--- What the user chose: defaults, checks, and the sentence that tells what was wrong.
local M = {}

---@class heron.Keys
---@field accept? string|false Insert the completion; where none is shown the key does what it did before.
---@field accept_word? string|false Insert its next word.
---@field accept_line? string|false Insert the rest of its line.
---@field next? string|false Show the next completion; where there is one alone, ask for another.
---@field previous? string|false Show the previous one.
---@field dismiss? string|false Hide it.

---@class heron.ChatOptions
---@field position? "right"|"left"|"below"|"above" Where the chat opens.
---@field size? number Its share of the screen, 0.1 to 0.9.

---@class heron.Options
---@field cmd? string[] The server and its arguments.
---@field filetypes? string[] File types Heron is for; empty: all files.
---@field root_markers? string[] What marks the folder that is the workspace.
---@field ghost? "own"|"builtin" Who draws completions: Heron, or Neovim's own client (0.12 alone).
---@field debounce_ms? integer Wait so long for the next key before asking. Neovim's own client always waits 200 ms.
---@field keys? heron.Keys
---@field chat? heron.ChatOptions
---@field settings? table<string, table<string, any>> The server's settings, by section, as in its config.toml.

---@type heron.Options
M.defaults = {
  cmd = { "heron", "lsp" },
  filetypes = {},
  root_markers = { ".git", ".hg" },
  ghost = "own",
  debounce_ms = 30,
  keys = {
    accept = "<Tab>",
    accept_word = "<M-Right>",
    accept_line = "<M-C-Right>",
    next = "<M-]>",
    previous = "<M-[>",
    dismiss = "<C-]>",
  },
  chat = { position = "right", size = 0.4 },
  settings = {},
}

---@type heron.Options?
local current

--- Check options and take them. Raises one sentence that names the key and what is allowed.
---@param options? heron.Options
function M.apply(options)
  options = options == nil and {} or options
  M.check(options)
  if options.ghost == "builtin" and not vim.lsp.inline_completion then
    error('Heron: option ghost: "builtin" needs Neovim 0.12. Allowed here: own.', 0)
  end
  local merged = vim.tbl_deep_extend("force", M.defaults, options)
  for _, list in ipairs({ "cmd", "filetypes", "root_markers" }) do
    merged[list] = vim.deepcopy(options[list] or M.defaults[list])
  end
  current = merged
end

--- The options as they are now; the defaults before `setup`.
---@return heron.Options
function M.get()
  return current or M.defaults
end

---@return boolean
function M.is_set_up()
  return current ~= nil
end

---@param options any
function M.check(options)
  require("heron.check").fields("", options, require("heron.schema").options)
end

return M
