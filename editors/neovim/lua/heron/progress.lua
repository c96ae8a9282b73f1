--- `$/progress` of requests we gave a token goes to who asked; all other progress to Neovim.
local M = {}

---@type table<string, fun(value: table)>
local listeners = {}
local last = 0

--- A new token, whose progress is given to `listen` until it ends.
---@param listen fun(value: table)
---@return string
function M.open(listen)
  last = last + 1
  local token = "heron-" .. last
  listeners[token] = listen
  return token
end

--- Listen no more, where no end of the progress will come.
---@param token string
function M.close(token)
  listeners[token] = nil
end

--- The client's handler.
function M.take(failure, params, context)
  local listen = listeners[params.token]
  if not listen then
    return vim.lsp.handlers["$/progress"](failure, params, context)
  end
  if params.value.kind == "end" then
    M.close(params.token)
  end
  listen(params.value)
end

return M
