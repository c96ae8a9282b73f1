-- What the plugin takes of the start is measured by init.lua; here is nothing left to do.
return {
  {
    "it is set up",
    function(t)
      t.equal(require("heron.config").is_set_up(), true)
    end,
  },
}
