-- Neovim's own completion (vim.lsp.completion) with completions in the popup.
local function open_popup(t)
  local client = vim.lsp.get_clients({ bufnr = 0, name = "heron" })[1]
  vim.lsp.completion.enable(true, client.id, 0, { autotrigger = false })
  vim.o.completeopt = "menuone,noselect"
  t.press("Gopri")
end

return {
  {
    "an item stands in the popup and is put in the place of the word",
    function(t)
      t.open("a.py", { "total = 1" })
      open_popup(t)
      vim.lsp.completion.get()
      t.wait("the popup", function()
        return vim.fn.pumvisible() == 1
      end)
      local item = vim.fn.complete_info({ "items" }).items[1]
      t.equal(item.abbr, "print(total)")
      t.press("<C-n><C-y>")
      t.wait("the text", function()
        return vim.api.nvim_get_current_line() == "print(total)"
      end)
      t.press("<Esc>")
    end,
  },
}
