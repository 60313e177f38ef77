#include "ceremony/script/capability_file.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/script/names.h"

namespace ceremony::script {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostMechanisms = 1000;
constexpr std::int64_t kMostTrials = 1000;
constexpr std::int64_t kLongest = 2000;

// A module whose file cannot be read has none.
const Shape& DigestOrNoneShape() {
  static const Shape shape{"digest or nothing", Pattern::Parse("([0-9a-f]{64})?").value(),
                           "a SHA-256 digest (64 lowercase hexadecimal digits) or nothing"};
  return shape;
}

const Shape& MechanismShape() {
  static const Shape shape{"mechanism", Pattern::Parse("CKM_[A-Z0-9_]{1,80}|0x[0-9a-fA-F]{1,16}").value(),
                           "a mechanism (CKM_ECDSA, or a number such as 0x80000001)"};
  return shape;
}

// What a token or a module says of itself may be anything, or nothing.
Field Said(std::string name, std::string help) {
  return Field::Text(std::move(name), std::move(help)).Length(0, kLongest);
}

}  // namespace

FieldTable CapabilityTable() {
  FieldTable token{"token",
                   "The token, as it names itself.",
                   {Said("label", "its label"), Said("serial", "its serial number"),
                    Said("manufacturer", "who makes it"), Said("model", "its model"),
                    Said("hardware", "version of its hardware"), Said("firmware", "version of its firmware")},
                   {}};
  FieldTable module{
      "module",
      "The module that spoke to it.",
      {Said("path", "its file"), Field::Shaped("sha256", DigestOrNoneShape(), "SHA-256 of that file").Length(0, 64),
       Said("manufacturer", "who makes it"), Said("description", "what it calls itself"),
       Said("version", "its version"), Said("behaves_as", "the row of our table of peculiarities that it was held to")},
      {}};
  FieldTable trial{"trial",
                   "One thing that was tried.",
                   {Said("what", "what"), Said("mechanism", "the mechanism that it stands or falls with"),
                    Field::Boolean("claimed", "whether the token lists that mechanism"),
                    Field::Choice("outcome", {{"works", ""}, {"refused", ""}, {"untried", ""}}, "what came of it"),
                    Said("said", "why it was refused")},
                   {}};
  FieldTable fit{"script",
                 "Whether a script's token can be this one.",
                 {Said("script", "the script"), Said("token", "the token in it"),
                  Field::List("lacks", Said("", "a mechanism"), 0, kMostMechanisms, "what it lacks for that")},
                 {}};
  return {"capabilities",
          "What a token can do, as `keyceremony token probe --json` found it.",
          {FormatField("keyceremony-capabilities/1"), Field::Table("token", std::move(token), "which token"),
           Field::Table("module", std::move(module), "by which module"),
           Field::Boolean("tried", "whether it was tried, or only asked what it claims"),
           Field::List("mechanisms", Field::Shaped("", MechanismShape(), "a mechanism"), 0, kMostMechanisms,
                       "what it has and does")
               .Unique(),
           Field::List("trials", Field::Table("", std::move(trial), "a trial"), 0, kMostTrials, "what was tried"),
           Field::List("findings", Said("", "a finding"), 0, kMostTrials, "where it is not what it claims"),
           Field::List("scripts", Field::Table("", std::move(fit), "a script"), 0, kMostTrials,
                       "scripts that were held against it")},
          {}};
}

base::Result<CapabilityFile> ReadCapabilities(const std::string& path) {
  KC_ASSIGN_OR_RETURN(LoadedFile file, LoadFile(path));
  Problems problems;
  Document document;
  json values;
  if (!ParseFile(CapabilityTable(), file, document, values, problems)) return problems.ToError();
  CapabilityFile sheet;
  sheet.label = values.at("token").at("label");
  sheet.serial = values.at("token").at("serial");
  sheet.tried = values.at("tried");
  for (const json& mechanism : values.at("mechanisms")) sheet.mechanisms.insert(mechanism.get<std::string>());
  for (const json& finding : values.at("findings")) sheet.findings.push_back(finding.get<std::string>());
  sheet.file = std::move(file);
  return sheet;
}

}  // namespace ceremony::script
