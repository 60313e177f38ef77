#include "ceremony/record/tiles.h"

#include <fmt/format.h>

#include <vector>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/line_walk.h"
#include "ceremony/record/withheld.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr std::size_t kMaxCheckpoint = 1u << 20;

// The path of a tile below `tile/<level>` or `tile/entries`.
std::string TilePath(std::uint64_t index, std::size_t width) {
  std::string path = fmt::format("{:03}", index % 1000);
  for (index /= 1000; index > 0; index /= 1000) path = fmt::format("x{:03}/{}", index % 1000, path);
  return width == kTileWidth ? path : fmt::format("{}.p/{}", path, width);
}

// Tiles grows the tiles of all levels at once: a full one is written and passes
// its root to the level above.
class Tiles final {
 public:
  Tiles(NewFolder& out, std::string prefix, TileCount& count) : out_(out), prefix_(std::move(prefix)), count_(count) {}

  Result<void> Append(std::size_t level, const Hash& hash) {
    if (level == levels_.size()) levels_.emplace_back();
    levels_[level].hashes.push_back(hash);
    if (levels_[level].hashes.size() < kTileWidth) return {};
    CompactRange subtree;
    subtree.AppendAll(levels_[level].hashes);
    KC_RETURN_IF_ERROR(Write(level));
    return Append(level + 1, subtree.Root());
  }

  Result<void> Finish() {
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      if (!levels_[level].hashes.empty()) KC_RETURN_IF_ERROR(Write(level));
    }
    return {};
  }

 private:
  struct Level {
    std::vector<Hash> hashes;
    std::uint64_t written = 0;
  };

  Result<void> Write(std::size_t level) {
    Level& tile = levels_[level];
    base::Bytes bytes;
    for (const Hash& hash : tile.hashes) bytes.insert(bytes.end(), hash.begin(), hash.end());
    const std::string path = fmt::format("{}tile/{}/{}", prefix_, level, TilePath(tile.written, tile.hashes.size()));
    KC_RETURN_IF_ERROR(out_.Write(path, bytes));
    tile.hashes.clear();
    ++tile.written;
    ++count_.tiles;
    return {};
  }

  NewFolder& out_;
  std::string prefix_;
  TileCount& count_;
  std::vector<Level> levels_;
};

}  // namespace

Result<TileCount> ExportTiles(const std::string& record, NewFolder& out, const std::string& prefix) {
  KC_ASSIGN_OR_RETURN(const RecordFolder folder, RecordFolder::Open(record));
  Result<std::string> text = folder.ReadSmall(kCheckpointFile, kMaxCheckpoint);
  if (!text.ok()) return std::move(text).error().WithHint("a log is served by its final checkpoint: close the record");
  KC_ASSIGN_OR_RETURN(const Note note, Note::Parse(*text));
  KC_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Parse(note.text));
  TileCount count;
  Tiles tiles(out, prefix, count);
  CompactRange tree;
  base::Bytes bundle;
  std::size_t in_bundle = 0;
  bool is_withheld = false;
  const auto close_bundle = [&]() -> Result<void> {
    if (in_bundle == 0) return {};
    const std::uint64_t index = (count.entries - 1) / kTileWidth;
    if (is_withheld) {
      ++count.withheld_bundles;
    } else {
      KC_RETURN_IF_ERROR(out.Write(fmt::format("{}tile/entries/{}", prefix, TilePath(index, in_bundle)), bundle));
      ++count.bundles;
    }
    bundle.clear();
    in_bundle = 0;
    is_withheld = false;
    return {};
  };
  const auto take = [&](std::string_view line) -> Result<bool> {
    if (count.entries == checkpoint.size) return false;
    const std::optional<Hash> withheld = WithheldLeaf(line);
    const Hash leaf = withheld ? *withheld : Leaf(line);
    tree.Append(leaf);
    KC_RETURN_IF_ERROR(tiles.Append(0, leaf));
    is_withheld = is_withheld || withheld.has_value();
    bundle.push_back(static_cast<std::uint8_t>(line.size() >> 8));
    bundle.push_back(static_cast<std::uint8_t>(line.size() & 0xff));
    bundle.insert(bundle.end(), line.begin(), line.end());
    ++count.entries;
    if (++in_bundle == kTileWidth) KC_RETURN_IF_ERROR(close_bundle());
    return true;
  };
  KC_RETURN_IF_ERROR(ForEachLine(folder, kLogFile, take));
  KC_RETURN_IF_ERROR(close_bundle());
  KC_RETURN_IF_ERROR(tiles.Finish());
  if (count.entries != checkpoint.size || tree.Root() != checkpoint.root) {
    return MakeError(ErrorCode::kCorrupt, record + ": the log is not the one of the final checkpoint")
        .WithHint("`keyceremony verify` says what differs");
  }
  KC_RETURN_IF_ERROR(out.Write(prefix + std::string(kCheckpointFile), base::AsBytes(*text)));
  return count;
}

}  // namespace ceremony::record
