--- Tells the server where the cursor is: it has the model read the place before a completion is asked for there.
local M = {}

---@param client vim.lsp.Client
---@param buf integer
function M.tell(client, buf)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  client:notify("heron/didChangeCursor", { textDocument = { uri = vim.uri_from_bufnr(buf) }, position = params.position })
end

--- Tell of each move from now on. What is typed tells itself.
function M.follow()
  vim.api.nvim_create_autocmd({ "BufEnter", "CursorMoved" }, {
    group = vim.api.nvim_create_augroup("heron.cursor", { clear = true }),
    callback = function(event)
      local client = vim.lsp.get_clients({ bufnr = event.buf, name = "heron" })[1]
      if client and event.buf == vim.api.nvim_get_current_buf() then
        M.tell(client, event.buf)
      end
    end,
  })
end

return M
