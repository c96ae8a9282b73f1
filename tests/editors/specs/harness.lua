--- Tests in a coroutine: it yields while it waits, so Neovim's main loop reads keys and runs timers.
local M = { notes = vim.empty_dict(), options = {}, told = {} }

local TIMEOUT_MS = 60000
local current

--- Wait until a condition holds, and give what it gave.
---@param what string
---@param condition fun(): any
function M.wait(what, condition)
  local deadline = vim.uv.hrtime() + TIMEOUT_MS * 1e6
  while true do
    local value = condition()
    if value then
      return value
    end
    if vim.uv.hrtime() > deadline then
      local said = vim.inspect(M.told[#M.told] or "nothing")
      error(("waited in vain for %s; line: %q; told last: %s"):format(what, vim.api.nvim_get_current_line(), said), 2)
    end
    M.turn()
  end
end

--- Let the main loop run once.
function M.turn()
  local thread = assert(current)
  vim.defer_fn(function()
    coroutine.resume(thread)
  end, 2)
  coroutine.yield()
end

local pressed = 0

function _G.spec_pressed(number)
  pressed = number
end

local number = 0

--- Type keys, and wait until they were read and what they set off has run.
---@param keys string
function M.press(keys)
  number = number + 1
  vim.api.nvim_input(keys .. ("<Cmd>call v:lua.spec_pressed(%d)<CR>"):format(number))
  M.wait("keys " .. keys, function()
    return pressed >= number
  end)
  M.turn()
end

--- The buffer's text.
function M.text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
end

function M.equal(found, expected, about)
  if not vim.deep_equal(found, expected) then
    local place = about and about .. ": " or ""
    error(("%sfound %s, expected %s"):format(place, vim.inspect(found), vim.inspect(expected)), 2)
  end
end

--- A new file in the workspace, in the current window, with the server attached and ready.
---@param name string
---@param lines string[]
function M.open(name, lines)
  vim.fn.writefile(lines, name)
  vim.cmd.edit({ name, bang = true })
  M.wait_attached()
end

--- Wait for the server to be there for the current buffer, with its model.
function M.wait_attached()
  M.wait("the server to attach", function()
    local client = vim.lsp.get_clients({ bufnr = 0, name = "heron" })[1]
    return client and client.initialized and vim.b.heron_keys
  end)
  M.wait("a model that is ready", function()
    return require("heron.status").now().state == "ready"
  end)
end

--- Ghost text as it is drawn, of either way of drawing; nil if there is none.
function M.ghost()
  for _, name in ipairs({ "heron.ghost", "nvim.lsp.inline_completion" }) do
    local namespace = vim.api.nvim_create_namespace(name)
    local mark = vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })[1]
    if mark then
      local lines = { mark[4].virt_text[1][1] }
      for _, line in ipairs(mark[4].virt_lines or {}) do
        lines[#lines + 1] = line[1][1]
      end
      return table.concat(lines, "\n"), mark
    end
  end
end

--- Wait for ghost text, and check it.
---@param expected string
function M.expect_ghost(expected)
  M.wait("ghost text " .. vim.inspect(expected), function()
    return M.ghost() == expected and require("heron.completion").is_shown()
  end)
end

local function record_messages()
  vim.notify = function(message)
    M.told[#M.told + 1] = message
  end
end

---@param tests [string, fun(t: table)][]
function M.run(tests, options, out)
  local result = { passed = {}, failures = {} }
  record_messages()
  M.options = options
  current = coroutine.create(function()
    if not tests.no_setup and not vim.env.SPEC_EARLY then
      require("heron").setup(options)
    end
    for _, test in ipairs(tests) do
      local fine, problem = xpcall(test[2], debug.traceback, M)
      table.insert(fine and result.passed or result.failures, fine and test[1] or test[1] .. ": " .. problem)
      if not fine then
        break
      end
    end
    result.notes = M.notes
    vim.fn.writefile({ vim.json.encode(result) }, out)
    vim.cmd("qall!")
  end)
  coroutine.resume(current)
end

return M
