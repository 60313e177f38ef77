#include "ceremony/steps/wrapped_key_file.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using nlohmann::ordered_json;

constexpr const char* kFormat = "keyceremony-wrapped-key/1";
constexpr int kIndent = 2;
constexpr std::size_t kLargest = 65'536;  // RSA-4096 in base64 is a tenth of it

base::Error Malformed(const std::string& what) {
  return base::Refusal("KEY-FILE-01", fmt::format("the file of a wrapped key {}", what),
                       "take the file from the record of the ceremony that wrote it");
}

}  // namespace

std::string WrappedKeyArtefact(const std::string& key, const std::string& transport_key) {
  return fmt::format("transfers/{}.{}.wrapped-key.json", key, transport_key);
}

std::string WriteWrappedKey(const WrappedKeyFile& file) {
  const ordered_json object = {{"format", kFormat},
                               {"key", file.key},
                               {"spki_sha256", file.spki_sha256},
                               {"transport_key", file.transport_key},
                               {"transport_spki_sha256", file.transport_spki_sha256},
                               {"transport", file.transport},
                               {"aes_key", base::Base64Encode(file.sealed.aes_key)},
                               {"private_key", base::Base64Encode(file.sealed.private_key)}};
  return object.dump(kIndent) + "\n";
}

base::Result<WrappedKeyFile> ParseWrappedKey(std::string_view bytes) {
  if (bytes.size() > kLargest) return Malformed("is too large");
  const ordered_json object = ordered_json::parse(bytes, nullptr, false);
  if (!object.is_object()) return Malformed("is no JSON object");
  WrappedKeyFile file;
  std::string format, aes_key, private_key;
  const std::array<std::pair<const char*, std::string*>, 8> members = {
      {{"format", &format},
       {"key", &file.key},
       {"spki_sha256", &file.spki_sha256},
       {"transport_key", &file.transport_key},
       {"transport_spki_sha256", &file.transport_spki_sha256},
       {"transport", &file.transport},
       {"aes_key", &aes_key},
       {"private_key", &private_key}}};
  for (const auto& [name, value] : members) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return Malformed(fmt::format("has no text \"{}\"", name));
    *value = found->get<std::string>();
  }
  if (format != kFormat) return Malformed(fmt::format("has the format \"{}\", expected \"{}\"", format, kFormat));
  for (const auto& [text, to] :
       {std::pair(&aes_key, &file.sealed.aes_key), std::pair(&private_key, &file.sealed.private_key)}) {
    auto decoded = base::Base64Decode(*text);
    if (!decoded.ok() || decoded->empty()) return Malformed("has a key that is no base64");
    *to = std::move(decoded).value();
  }
  // One spelling of one content: a double member, a blank or a member more is another file.
  if (WriteWrappedKey(file) != bytes) return Malformed("is not as key.export writes it");
  return file;
}

}  // namespace ceremony::steps
