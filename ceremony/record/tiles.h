// ExportTiles lays a record out as a tiled transparency log (c2sp.org/tlog-tiles),
// so that tools of others can serve, witness and read it as files:
//
//   checkpoint                    the final one, as it is
//   tile/<L>/<N>[.p/<W>]          hashes of the tree, 256 a tile
//   tile/entries/<N>[.p/<W>]      lines, each after its length in two bytes
//
// <N> is written as the standard has it: x001/x234/067.
#ifndef CEREMONY_RECORD_TILES_H_
#define CEREMONY_RECORD_TILES_H_

#include <cstdint>
#include <string>

#include "ceremony/record/new_folder.h"

namespace ceremony::record {

inline constexpr std::size_t kTileWidth = 256;

struct TileCount {
  std::uint64_t entries = 0;
  std::uint64_t tiles = 0;
  std::uint64_t bundles = 0;
  std::uint64_t withheld_bundles = 0;  // left out, because an entry in them is withheld
};

// ExportTiles writes below `prefix` of a new folder. Errors as ProveEntry.
base::Result<TileCount> ExportTiles(const std::string& record, NewFolder& out, const std::string& prefix);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_TILES_H_
