-- From a key to the ghost text it brings, beside the server's own time. Milliseconds.
local function since(start)
  return (vim.uv.hrtime() - start) / 1e6
end

return {
  {
    "keys are timed",
    function(t)
      t.open("latency.py", { "" })
      local client = vim.lsp.get_clients({ bufnr = 0, name = "heron" })[1]
      t.notes.key_ms, t.notes.server_ms = {}, {}
      for index = 1, tonumber(vim.env.SPEC_STEPS) do
        t.press("<Esc>Gototal =")
        local start = vim.uv.hrtime()
        vim.api.nvim_input(" ")
        t.expect_ghost("price * count")
        t.notes.key_ms[index] = since(start)
        t.notes.server_ms[index] = client:request_sync("heron/lastTimings", {}, 1000, 0).result.totalMs
        t.press("<C-]>")
      end
    end,
  },
}
