// Anchors the precompiled headers that the JSON-reading targets share.
