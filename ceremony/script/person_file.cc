#include "ceremony/script/person_file.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/script/parsed.h"
#include "ceremony/script/roster_keys.h"
#include "ceremony/script/written.h"

namespace ceremony::script {

using nlohmann::json;
using nlohmann::ordered_json;

const FieldTable& PersonFileTable() {
  static const FieldTable table{
      "person file",
      "What a custodian hands over to be appointed.",
      {FormatField("keyceremony-person/1"),
       Field::Id("estate", "the estate that the person is to serve").Example("\"smki.example\""),
       Field::Id("id", "names the person in the roster and in records").Example("\"frank\""),
       Field::Text("name", "as identity papers spell it"),
       Field::Shaped("sign_key", Base64Shape(), "public key for approvals: DER SubjectPublicKeyInfo, P-256 or Ed25519")
           .Length(4, 400),
       Field::Shaped("open_key", Base64Shape(), "public key that shares are sealed to: DER SubjectPublicKeyInfo, P-256")
           .Length(4, 400)},
      {}};
  return table;
}

base::Result<PersonFile> ParsePersonFile(LoadedFile file, Problems* problems) {
  const auto build = [](const Document& document, const json& values, PersonFile& person, Problems& all) {
    person.estate = values.at("estate");
    person.id = values.at("id");
    person.name = values.at("name");
    person.sign_key = values.at("sign_key");
    person.open_key = values.at("open_key");
    RosterKeys keys(document, all);
    keys.Check(document.root(), "sign_key", SignKeyAlgorithms());
    keys.Check(document.root(), "open_key", OpenKeyAlgorithms());
  };
  return Parsed<PersonFile>(PersonFileTable(), std::move(file), problems, build);
}

base::Result<std::string> WritePersonFile(const PersonFile& person) {
  const ordered_json file{
      {"format", "keyceremony-person/1"}, {"estate", person.estate},    {"id", person.id}, {"name", person.name},
      {"sign_key", person.sign_key},      {"open_key", person.open_key}};
  return Written(file, [](LoadedFile written) { return ParsePersonFile(std::move(written)); });
}

}  // namespace ceremony::script
