#include "ceremony/script/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "ceremony/script/expected.h"
#include "ceremony/script/names.h"
#include "ceremony/script/parsed.h"

namespace ceremony::script {
namespace {

using nlohmann::json;

constexpr std::array kClassifications{
    Named<Classification>{Classification::kGreen, "green", "may be published"},
    Named<Classification>{Classification::kAmber, "amber", "for the people concerned"},
    Named<Classification>{Classification::kRed, "red", "for the people in the room"},
};

constexpr std::array kTokenRoles{
    Named<TokenRole>{TokenRole::kLive, "live", "signs in service"},
    Named<TokenRole>{TokenRole::kBackup, "backup", "holds copies"},
    Named<TokenRole>{TokenRole::kAudit, "audit", "holds log keys only"},
};

[[noreturn]] void DieOnWrongField(std::string_view field, const char* why) {
  std::fprintf(stderr, "keyceremony: bug: step field %.*s %s\n", static_cast<int>(field.size()), field.data(), why);
  std::abort();
}

std::vector<Field> CommonStepFields() {
  return {
      Field::Id("id", "names the step in the record; unique in the script").Example("\"generate-root\""),
      Field::Text("title", "what people see as the step's name; the kind has its own").Optional(),
      Field::Prose("say", "words that are read aloud before the step").Optional(),
      Field::Id("quorum", "quorum of the roster that approves the step").Refers(Reference::kQuorum).Optional(),
      Field::Boolean("skippable", "whether the people in the room may skip it, which the record shows").Default(false),
      Field::Prose("note", "for those who prepare the ceremony; never shown in the room").Optional(),
  };
}

FieldTable StepTable(std::string kind, const FieldTable& own) {
  FieldTable table{std::move(kind), own.help, CommonStepFields(), own.exactly_one_of};
  table.fields.insert(table.fields.end(), own.fields.begin(), own.fields.end());
  return table;
}

// Builder goes over the checked values and their nodes together.
class Builder final {
 public:
  Builder(const StepFieldSource& kinds, Script& script, Problems& problems)
      : kinds_(kinds), script_(script), problems_(problems) {}

  void Build(const json& values) {
    script_.id = values.at("id");
    script_.title = values.at("title");
    script_.purpose = values.at("purpose");
    script_.estate = values.at("estate");
    script_.emergency = values.at("emergency");
    script_.classification = ValueOf(kClassifications, values.at("classification").get_ref<const std::string&>());
    script_.policy_path = values.at("policy");
    script_.profile_paths = values.at("profiles").get<std::map<std::string, std::string>>();
    script_.equipment = values.at("equipment").get<std::vector<std::string>>();
    BuildTokens(values);
    const Node& sections = *script_.document.root().Find("sections");
    for (std::size_t i = 0; i < sections.children().size(); ++i)
      BuildSection(values.at("sections")[i], *sections.children()[i]);
    CheckAllUsed();
  }

 private:
  void Add(const Node& node, PlaceOf place, std::string_view rule, std::string message, std::string hint = {}) {
    AddProblem(script_.document, node, place, rule, std::move(message), std::move(hint), problems_);
  }

  void BuildTokens(const json& values) {
    const Node* tokens = script_.document.root().Find("tokens");
    if (tokens == nullptr) return;
    for (const Node* node : tokens->children()) {
      const json& value = values.at("tokens").at(node->key());
      script_.tokens.push_back({node->key(), ValueOf(kTokenRoles, value.at("role").get_ref<const std::string&>()),
                                value.value("domain", ""), value.value("description", "")});
    }
  }

  void BuildSection(const json& value, const Node& node) {
    Section section;
    section.id = value.at("id");
    section.title = value.at("title");
    section.say = value.value("say", "");
    section.quorum = value.value("quorum", "");
    CheckUnique(section_ids_, *node.Find("id"), "section");
    section.tokens = value.value("tokens", std::vector<std::string>());
    section.keys_on_all = value.value("keys_on_all", std::vector<std::string>());
    if (const Node* tokens = node.Find("tokens")) {
      for (std::size_t i = 0; i < section.tokens.size(); ++i)
        CheckReference({Reference::kToken, section.tokens[i], fmt::format("/{}", i)}, *tokens);
    }
    if (!section.keys_on_all.empty() && section.tokens.empty()) {
      Add(*node.Find("keys_on_all"), PlaceOf::kValue, kRuleReference,
          "expected `tokens` beside it: the tokens on which these keys must be", "name the tokens of the section");
    }
    const Node& steps = *node.Find("steps");
    for (std::size_t i = 0; i < steps.children().size(); ++i)
      section.steps.push_back(BuildStep(value.at("steps")[i], *steps.children()[i]));
    if (const Node* quorum = node.Find("quorum")) CheckSectionQuorum(section, *quorum);
    script_.sections.push_back(std::move(section));
  }

  // Nobody would be asked for what no step names; whether the roster has it is asked of the step.
  void CheckSectionQuorum(const Section& section, const Node& quorum) {
    std::vector<std::string> named;
    for (const Step& step : section.steps) {
      if (step.quorum == section.quorum) return;
      if (!step.quorum.empty()) named.push_back(step.quorum);
    }
    const std::string nearest = NearestName(section.quorum, named);
    Add(quorum, PlaceOf::kValue, kRuleReference,
        fmt::format("expected a quorum that a step of this section names{}, found \"{}\"",
                    named.empty() ? " (none names one)" : ", " + QuotedList(named), section.quorum),
        nearest.empty() ? "" : "did you mean `" + nearest + "`?");
  }

  Step BuildStep(const json& value, const Node& node) {
    Step step;
    step.id = value.at("id");
    step.kind = value.at("do");
    step.title = value.value("title", "");
    step.say = value.value("say", "");
    step.note = value.value("note", "");
    step.quorum = value.value("quorum", "");
    step.skippable = value.at("skippable");
    step.node = &node;
    CheckUnique(step_ids_, *node.Find("id"), "step");

    const FieldTable& own = *kinds_.FieldsOf(step.kind);
    json fields = json::object();
    for (const Field& field : own.fields) {
      if (const auto found = value.find(field.name); found != value.end()) fields[field.name] = *found;
    }
    step.references = ReferencesIn(own, fields);
    for (const ReferenceUse& use : step.references) CheckReference(use, node);
    step.fields = StepValues(std::move(fields));
    return step;
  }

  void CheckUnique(std::map<std::string, Position>& seen, const Node& id, const char* what) {
    const auto [first, is_new] = seen.emplace(id.text(), id.position());
    if (is_new) return;
    Add(id, PlaceOf::kValue, kRuleSameName,
        fmt::format("expected an id of its own, found that of the {} in line {}", what, first->second.line));
  }

  void CheckReference(const ReferenceUse& use, const Node& step) {
    std::vector<std::string> known;
    const char* what = nullptr;
    if (use.reference == Reference::kToken) {
      what = "token";
      for (const ScriptToken& token : script_.tokens) known.push_back(token.name);
    } else if (use.reference == Reference::kProfile) {
      what = "profile";
      for (const auto& [name, path] : script_.profile_paths) known.push_back(name);
    } else {
      return;
    }
    used_.insert({use.reference, use.name});
    if (std::find(known.begin(), known.end(), use.name) != known.end()) return;
    const Node* node = NodeAt(step, use.pointer);
    const std::string nearest = NearestName(use.name, known);
    const std::string expected = known.empty() ? fmt::format("a {0} that `{0}s` defines (it defines none)", what)
                                               : fmt::format("a {0} that `{0}s` defines, {1}", what, QuotedList(known));
    Add(node == nullptr ? step : *node, PlaceOf::kValue, kRuleReference,
        fmt::format("expected {}, found \"{}\"", expected, use.name),
        nearest.empty() ? "" : "did you mean `" + nearest + "`?");
  }

  // What is defined and never used is more often a slip in a step than a gift.
  void CheckAllUsed() {
    const Node& root = script_.document.root();
    for (const auto& [reference, member] :
         {std::pair{Reference::kToken, "tokens"}, std::pair{Reference::kProfile, "profiles"}}) {
      const Node* definitions = root.Find(member);
      if (definitions == nullptr) continue;
      for (const Node* node : definitions->children()) {
        if (used_.contains({reference, node->key()})) continue;
        Add(*node, PlaceOf::kName, kRuleReference, "defined, but no step names it");
      }
    }
  }

  static const Node* NodeAt(const Node& from, std::string_view pointer) {
    const Node* node = &from;
    while (node != nullptr && !pointer.empty()) {
      pointer.remove_prefix(1);
      const auto end = std::min(pointer.find('/'), pointer.size());
      const std::string_view part = pointer.substr(0, end);
      pointer.remove_prefix(end);
      if (node->kind() == Node::Kind::kArray) {
        const std::size_t index = static_cast<std::size_t>(std::strtoul(std::string(part).c_str(), nullptr, 10));
        node = index < node->children().size() ? node->children()[index] : nullptr;
      } else {
        node = node->Find(part);
      }
    }
    return node;
  }

  const StepFieldSource& kinds_;
  Script& script_;
  Problems& problems_;
  std::map<std::string, Position> section_ids_;
  std::map<std::string, Position> step_ids_;
  std::set<std::pair<Reference, std::string>> used_;
};

}  // namespace

std::string_view NameOf(Classification classification) { return WordOf(kClassifications, classification); }
std::string_view NameOf(TokenRole role) { return WordOf(kTokenRoles, role); }

bool StepValues::Has(std::string_view field) const { return values_.find(field) != values_.end(); }

const json& StepValues::At(std::string_view field) const {
  const auto found = values_.find(field);
  if (found == values_.end()) DieOnWrongField(field, "is absent; ask Has first");
  return *found;
}

const std::string& StepValues::Text(std::string_view field) const {
  const auto* text = At(field).get_ptr<const std::string*>();
  if (text == nullptr) DieOnWrongField(field, "is not text");
  return *text;
}

std::int64_t StepValues::Integer(std::string_view field) const {
  const json& value = At(field);
  if (!value.is_number_integer()) DieOnWrongField(field, "is not an integer");
  return value.get<std::int64_t>();
}

bool StepValues::Flag(std::string_view field) const {
  const json& value = At(field);
  if (!value.is_boolean()) DieOnWrongField(field, "is not true or false");
  return value.get<bool>();
}

std::string StepValues::TextOr(std::string_view field, std::string_view otherwise) const {
  return Has(field) ? Text(field) : std::string(otherwise);
}

const json& StepValues::List(std::string_view field) const {
  const json& value = At(field);
  if (!value.is_array()) DieOnWrongField(field, "is not a list");
  return value;
}

const json& StepValues::Object(std::string_view field) const {
  const json& value = At(field);
  if (!value.is_object()) DieOnWrongField(field, "is not an object");
  return value;
}

std::vector<std::string> Step::NamesOf(Reference reference) const {
  std::vector<std::string> names;
  for (const ReferenceUse& use : references) {
    if (use.reference == reference && std::find(names.begin(), names.end(), use.name) == names.end())
      names.push_back(use.name);
  }
  return names;
}

const ScriptToken* Script::FindToken(std::string_view name) const {
  const auto found =
      std::find_if(tokens.begin(), tokens.end(), [&](const ScriptToken& token) { return token.name == name; });
  return found == tokens.end() ? nullptr : &*found;
}

std::size_t Script::StepCount() const {
  std::size_t count = 0;
  for (const Section& section : sections) count += section.steps.size();
  return count;
}

std::vector<std::string> Script::QuorumsUsed() const {
  std::vector<std::string> names;
  for (const Section& section : sections) {
    for (const Step& step : section.steps) {
      if (!step.quorum.empty() && std::find(names.begin(), names.end(), step.quorum) == names.end())
        names.push_back(step.quorum);
    }
  }
  return names;
}

std::string Script::Where(const Step& step, std::string_view field) const {
  const Node* node = field.empty() ? nullptr : step.node->Find(field);
  return document.Where(node == nullptr ? *step.node : *node);
}

Problem Script::ProblemAt(const Step& step, std::string_view field, std::string rule, std::string message,
                          std::string hint) const {
  const Node* node = field.empty() ? nullptr : step.node->Find(field);
  if (node == nullptr) node = step.node;
  return {std::move(rule), document.file(), node->position(), node->Pointer(), std::move(message), std::move(hint)};
}

FieldTable ScriptTable(const StepFieldSource& kinds) {
  std::vector<FieldTable> steps;
  for (const std::string& kind : kinds.Kinds()) {
    if (const FieldTable* own = kinds.FieldsOf(kind); own != nullptr) steps.push_back(StepTable(kind, *own));
  }
  FieldTable token{"token",
                   "A logical token; the binding says which real one it is.",
                   {Field::Choice("role", ChoicesOf(kTokenRoles), "what the token is for").Default("live"),
                    Field::Id("domain", "PKI domain that the token belongs to").Example("\"organisation\"").Optional(),
                    Field::Text("description", "how people recognise it").Optional()},
                   {}};
  FieldTable section{
      "section",
      "Steps that belong together; people may pause between sections.",
      {Field::Id("id", "names the section in the record; unique in the script"), Field::Text("title", "its heading"),
       Field::Prose("say", "words that are read aloud at its beginning").Optional(),
       Field::Id("quorum",
                 "asked once for all steps of the section that name the same quorum and whose parameters all stand in "
                 "the script")
           .Refers(Reference::kQuorum)
           .Optional(),
       Field::List("tokens", Field::Id("", "a token").Refers(Reference::kToken), 1, 100,
                   "tokens that must be there when the section begins, beyond those that its steps name")
           .Unique()
           .Optional()
           .Example("[\"root-hsm\", \"backup-hsm\"]"),
       Field::List("keys_on_all", Field::Id("", "a key").Refers(Reference::kKey), 1, 100,
                   "keys that must be on every one of `tokens` before the section closes")
           .Unique()
           .Optional()
           .Example("[\"root-oca\"]"),
       Field::List(
           "steps",
           Field::Variant("step", Field::Shaped("do", KindShape(), "the kind of step"), std::move(steps), "a step"), 1,
           500, "what is done, in order")},
      {}};
  return {"script",
          "The reviewed plan of a ceremony, the same file in rehearsal and in production.",
          {FormatField("keyceremony-script/1"),
           Field::Id("id", "the ceremony's id, part of folder names and of the record's origin")
               .Example("\"smki-root-oca\""),
           Field::Text("title", "what people call the ceremony"),
           Field::Id("estate", "the estate it belongs to; binding and roster must name the same")
               .Example("\"smki.example\""),
           Field::Prose("purpose", "why it is held, for people and for the report"),
           Field::Choice("classification", ChoicesOf(kClassifications), "label of everything that is written")
               .Default("amber"),
           Field::Boolean("emergency",
                          "whether it is held because of an incident: it must then tell somebody, with comms.notify")
               .Default(false),
           Field::Path("policy", "the policy file").Example("\"smki.policy.json\""),
           Field::Map("profiles", IdShape(), Field::Path("path", "the profile file"), 0, 100,
                      "profiles by the name that steps use")
               .DefaultJson("{}"),
           Field::Map("tokens", IdShape(), Field::Table("token", std::move(token), "a logical token"), 0, 100,
                      "logical tokens by the name that steps use")
               .DefaultJson("{}"),
           Field::List("equipment", Field::Text("item", "something"), 0, 100,
                       "what must be in the room, beyond tokens and this machine")
               .DefaultJson("[]"),
           Field::List("sections", Field::Table("section", std::move(section), "a section"), 1, 100,
                       "the ceremony, in order")},
          {}};
}

base::Result<Script> ParseScript(LoadedFile file, const StepFieldSource& kinds, Problems* problems) {
  const auto build = [&](Document& document, const json& values, Script& script, Problems& all) {
    script.document = std::move(document);
    Builder(kinds, script, all).Build(values);
  };
  return Parsed<Script>(ScriptTable(kinds), std::move(file), problems, build);
}

base::Result<Script> ReadScript(const std::string& path, const StepFieldSource& kinds, Problems* problems) {
  KC_ASSIGN_OR_RETURN(LoadedFile file, LoadFile(path));
  return ParseScript(std::move(file), kinds, problems);
}

}  // namespace ceremony::script
