--- Tells the server what other servers say of a buffer: chat and code actions read it.
local M = {}

---@param diagnostic vim.Diagnostic
---@param position fun(line: integer, col: integer): lsp.Position
local function to_lsp(diagnostic, position)
  local from = position(diagnostic.lnum, diagnostic.col)
  local to = position(diagnostic.end_lnum or diagnostic.lnum, diagnostic.end_col or diagnostic.col)
  local code = diagnostic.code and tostring(diagnostic.code) or nil
  return {
    range = { start = from, ["end"] = to },
    severity = diagnostic.severity,
    source = diagnostic.source,
    code = code,
    message = diagnostic.message,
  }
end

--- What is known of a buffer, as LSP has it.
---@param client vim.lsp.Client
---@param buf integer
---@return lsp.Diagnostic[]
function M.of(client, buf)
  local function position(line, col)
    local text = vim.api.nvim_buf_get_lines(buf, line, line + 1, false)[1] or ""
    local character = vim.str_utfindex(text, client.offset_encoding, math.min(col, #text), false)
    return { line = line, character = character }
  end
  local function convert(diagnostic)
    return to_lsp(diagnostic, position)
  end
  return vim.iter(vim.diagnostic.get(buf)):map(convert):totable()
end

---@param client vim.lsp.Client
---@param buf integer
function M.tell(client, buf)
  local params = { uri = vim.uri_from_bufnr(buf), diagnostics = M.of(client, buf) }
  client:notify("heron/didChangeDiagnostics", params)
end

--- Tell of each change from now on.
function M.follow()
  vim.api.nvim_create_autocmd("DiagnosticChanged", {
    group = vim.api.nvim_create_augroup("heron.diagnostics", { clear = true }),
    callback = function(event)
      local client = vim.lsp.get_clients({ bufnr = event.buf, name = "heron" })[1]
      if client then
        M.tell(client, event.buf)
      end
    end,
  })
end

return M
