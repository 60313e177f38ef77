#include "ceremony/verify/recorded_script.h"

#include <utility>

#include "ceremony/record/script_plan.h"

namespace ceremony::verify {
namespace {

// MembersOf are the children of an array that is a member of an object; none where it is not there.
const std::vector<const script::Node*>& MembersOf(const script::Node& object, std::string_view name) {
  static const std::vector<const script::Node*> none;
  const script::Node* list = object.Find(name);
  return list == nullptr || list->kind() != script::Node::Kind::kArray ? none : list->children();
}

}  // namespace

void RecordedScript::Forget() { *this = RecordedScript(); }

const script::Node* RecordedScript::Find(std::string_view step, const record::RecordFiles& files) {
  if (!std::exchange(is_read_, true)) Read(files);
  const auto found = steps_.find(step);
  return found == steps_.end() ? nullptr : found->second;
}

void RecordedScript::Read(const record::RecordFiles& files) {
  for (const auto& [name, named] : files.inputs()) {
    const auto bytes = files.Input(name, script::kMaxFileBytes);
    if (!bytes || bytes->find(record::kScriptFormat) == std::string::npos) continue;
    script::Problems problems;
    auto document = script::Document::Parse(name, *bytes, problems);
    if (!document) continue;
    const script::Node* format = document->root().Find("format");
    if (format == nullptr || format->text() != record::kScriptFormat) continue;
    document_ = std::move(*document);
    for (const script::Node* section : MembersOf(document_.root(), "sections")) {
      for (const script::Node* step : MembersOf(*section, "steps")) {
        if (const script::Node* id = step->Find("id")) steps_.emplace(id->text(), step);
      }
    }
    return;
  }
}

}  // namespace ceremony::verify
