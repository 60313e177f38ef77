// The script: the reviewed plan of a ceremony. It names logical tokens only, so
// that its SHA-256 is the same in rehearsal and in production.
//
// Format keyceremony-script/1; docs/script-format.md is generated from its table.
#ifndef CEREMONY_SCRIPT_SCRIPT_H_
#define CEREMONY_SCRIPT_SCRIPT_H_

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/problems.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::script {

// StepFieldSource knows the fields of every kind of step; the catalogue of
// ceremony/steps is one. Tables live as long as the source.
class StepFieldSource {
 public:
  virtual ~StepFieldSource() = default;
  // FieldsOf returns the fields of a kind beyond those that every step has,
  // nullptr for an unknown kind.
  virtual const FieldTable* FieldsOf(std::string_view kind) const = 0;
  // Kinds lists them in the order in which documents show them.
  virtual std::vector<std::string> Kinds() const = 0;
};

// Traffic light of a document, as labels on what is written.
enum class Classification : std::uint8_t { kGreen, kAmber, kRed };
std::string_view NameOf(Classification classification);

// What a logical token is for.
enum class TokenRole : std::uint8_t { kLive, kBackup, kAudit };
std::string_view NameOf(TokenRole role);

struct ScriptToken {
  std::string name;  // as steps say it
  TokenRole role = TokenRole::kLive;
  std::string domain;       // PKI domain: "organisation"; a token of another domain is refused
  std::string description;  // what people look for in the room
};

// StepValues are the checked fields of a step's own kind, with defaults. Asking
// for a field with another type than its table has is a bug and ends the program.
class StepValues final {
 public:
  StepValues() = default;
  explicit StepValues(nlohmann::json values) : values_(std::move(values)) {}

  bool Has(std::string_view field) const;
  const std::string& Text(std::string_view field) const;  // text, id, choice, digest, ...
  std::int64_t Integer(std::string_view field) const;
  bool Flag(std::string_view field) const;
  std::string TextOr(std::string_view field, std::string_view otherwise) const;
  const nlohmann::json& List(std::string_view field) const;    // of any items
  const nlohmann::json& Object(std::string_view field) const;  // map or table

  const nlohmann::json& values() const { return values_; }

 private:
  const nlohmann::json& At(std::string_view field) const;
  nlohmann::json values_ = nlohmann::json::object();
};

struct Step {
  std::string id;      // unique in the script
  std::string kind;    // member "do": "key.generate"
  std::string title;   // empty: the kind's own words
  std::string say;     // words to read aloud, or empty
  std::string note;    // for those who prepare, or empty
  std::string quorum;  // name of the quorum that approves it, or empty
  bool skippable = false;
  StepValues fields;                     // of the kind
  std::vector<ReferenceUse> references;  // every token, key, profile, file and artefact that the fields name
  const Node* node = nullptr;            // in Script::document, for messages

  // NamesOf lists the names of one sort in the fields, in file order, each once.
  std::vector<std::string> NamesOf(Reference reference) const;
};

struct Section {
  std::string id;  // unique in the script
  std::string title;
  std::string say;
  // Asked once for all steps of the section that name this quorum and have all
  // their parameters in the script; empty: each step asks for itself.
  std::string quorum;
  std::vector<std::string> tokens;       // that must be there, beyond those that its steps name
  std::vector<std::string> keys_on_all;  // keys that must be on all `tokens` before the section closes
  std::vector<Step> steps;
};

struct Script {
  std::string id;  // the ceremony's id in origins and folder names
  std::string title;
  std::string purpose;
  std::string estate;  // "smki.example"; the roster must name the same
  Classification classification = Classification::kAmber;
  bool emergency = false;                            // held because of an incident
  std::string policy_path;                           // as written, relative to the script's folder
  std::map<std::string, std::string> profile_paths;  // by the name that steps use
  std::vector<ScriptToken> tokens;                   // in file order
  std::vector<std::string> equipment;                // to be in the room, for the plan
  std::vector<Section> sections;
  LoadedFile file;
  Document document;

  const ScriptToken* FindToken(std::string_view name) const;
  // StepCount is the m of "step n of m".
  std::size_t StepCount() const;
  // QuorumsUsed lists the quorum names that steps ask for, each once.
  std::vector<std::string> QuorumsUsed() const;

  // Where begins a message about a step or one of its fields:
  // "smki-root-oca.ceremony.json:31:18: /sections/0/steps/2/key".
  std::string Where(const Step& step, std::string_view field = {}) const;
  // ProblemAt is a problem at that place, for a later check's list.
  Problem ProblemAt(const Step& step, std::string_view field, std::string rule, std::string message,
                    std::string hint = {}) const;
};

// ScriptTable is the table of a script with the steps of `kinds`.
FieldTable ScriptTable(const StepFieldSource& kinds);

// ParseScript reads a script from bytes. Beyond the table it checks that section
// and step ids are unique, that every token and profile that a step names is
// defined, and every one that is defined is named, and that a step names its
// section's quorum. `problems` (optional) receives
// the list; the error has them all in words.
base::Result<Script> ParseScript(LoadedFile file, const StepFieldSource& kinds, Problems* problems = nullptr);

// ReadScript loads, then parses.
base::Result<Script> ReadScript(const std::string& path, const StepFieldSource& kinds, Problems* problems = nullptr);

// LoadReferenced loads a file that another file names: relative to its folder,
// never outside it (INPUT-10), also not through a symbolic link. Its `name` is
// the reference.
base::Result<LoadedFile> LoadReferenced(const LoadedFile& from, const std::string& reference);

// ResolveReferenced returns the path of such a file without reading it, for
// documents that may be larger than an input file.
base::Result<std::string> ResolveReferenced(const LoadedFile& from, const std::string& reference);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_SCRIPT_H_
