#include "ceremony/run/late_refusals.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "ceremony/record/bounded_parse.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxBytes = 1u << 20;

std::string PathOf(const std::string& folder) { return folder + ".refusals.json"; }

}  // namespace

base::Result<json> ReadLateRefusals(record::Storage& storage, const std::string& folder) {
  const std::string path = PathOf(folder);
  KC_ASSIGN_OR_RETURN(const std::optional<record::FileInfo> kept, storage.Find(path));
  if (!kept) return json::array();
  KC_ASSIGN_OR_RETURN(const base::Bytes bytes, record::ReadWholeFile(storage, path, kMaxBytes));
  json list = record::ParseBounded(base::AsText(bytes));
  if (!list.is_array() || !std::ranges::all_of(list, [](const json& each) { return each.is_object(); })) {
    return base::MakeError(base::ErrorCode::kCorrupt, fmt::format("{} is no list of refusals", path))
        .WithHint(
            "the program writes it when somebody refuses to sign the end of a record; move it out of the "
            "archive, and have a witness note what it held");
  }
  return list;
}

base::Result<void> KeepLateRefusals(record::Storage& storage, const std::string& folder, const json& list) {
  const std::string path = PathOf(folder);
  if (!list.empty()) return record::ReplaceFile(storage, path, base::AsBytes(list.dump() + "\n"));
  KC_RETURN_IF_ERROR(storage.Remove(path));
  return storage.SyncFolder("");
}

}  // namespace ceremony::run
