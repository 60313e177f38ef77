#include "ceremony/record/content_audit.h"

#include "hsm/base/digest.h"

namespace ceremony::record {

std::optional<std::string> RecordFiles::Input(const std::string& name, std::size_t limit) const {
  return Read("inputs/" + name, inputs_, name, limit);
}

std::optional<std::string> RecordFiles::Artefact(const std::string& path, std::size_t limit) const {
  return Read("artefacts/" + path, artefacts_, path, limit);
}

bool RecordFiles::IsArtefactWithheld(const std::string& path) const { return withheld_.contains("artefacts/" + path); }

std::optional<std::string> RecordFiles::Read(const std::string& path, const Named& named, const std::string& name,
                                             std::size_t limit) const {
  const auto entered = named.find(name);
  if (entered == named.end()) return std::nullopt;
  base::Result<std::string> bytes = folder_.ReadSmall(path, limit);
  if (!bytes.ok() || base::Sha256Hex(*bytes) != entered->second.sha256) return std::nullopt;
  return std::move(bytes).value();
}

}  // namespace ceremony::record
