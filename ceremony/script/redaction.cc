#include "ceremony/script/redaction.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ceremony/record/withheld.h"
#include "ceremony/script/names.h"
#include "ceremony/script/parsed.h"

namespace ceremony::script {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostRules = 200;
constexpr std::int64_t kMostReasons = 50;

std::vector<ChoiceName> Labels() {
  return {{"green", "may be published"}, {"amber", "for the people concerned"}, {"red", "for the people in the room"}};
}

std::vector<ChoiceName> Types() {
  std::vector<ChoiceName> choices;
  for (const std::string& word : record::WithholdableWords()) {
    choices.push_back({word, word == "call"       ? "an intent with its done"
                             : word == "presence" ? "attend and depart: who came, and who went"
                                                  : ""});
  }
  return choices;
}

Field LabelField() { return Field::Choice("label", Labels(), "whom it is for"); }
Field ReasonField() { return Field::Id("reason", "why it is withheld, one of `reasons`"); }

class Reader final {
 public:
  Reader(const Document& document, const json& values, Problems& problems)
      : document_(document), values_(values), problems_(problems) {}

  RedactionFile Read() {
    RedactionFile file;
    record::RedactionRules& rules = file.rules;
    file.title = values_.at("title");
    rules.publish = values_.at("publish");
    for (const auto& [code, sentence] : values_.at("reasons").items()) rules.reasons.emplace(code, sentence);
    Each("entries", [&](const json& rule, const Node& node) {
      const std::string type = rule.at("type"), what = rule.value("what", "");
      Once("entries", fmt::format("{} {}", type, what), node);
      rules.entries.push_back({type, what, rule.at("label"), Reason(rule, node, rules)});
    });
    Each("fields", [&](const json& rule, const Node& node) {
      Once("fields", rule.at("name"), node);
      rules.fields.push_back({rule.at("name"), rule.at("label")});
    });
    Each("files", [&](const json& rule, const Node& node) {
      const std::string path = rule.at("path");
      Once("files", path, node);
      if (path != "artefacts" && path != "inputs" && !record::MayBeWithheldFile(path)) {
        AddProblem(document_, *node.Find("path"), PlaceOf::kValue, kRuleValue,
                   "expected a path that begins with inputs/ or artefacts/, found \"" + path + "\"",
                   "what proves a record is never withheld", problems_);
      }
      rules.files.push_back({path, rule.at("label"), Reason(rule, node, rules)});
    });
    return file;
  }

 private:
  template <typename Take>
  void Each(const char* list, Take take) {
    const Node* const node = document_.root().Find(list);
    if (node == nullptr) return;
    std::size_t index = 0;
    for (const json& rule : values_.at(list)) take(rule, *node->children()[index++]);
  }

  void Once(const char* list, const std::string& name, const Node& node) {
    if (seen_.emplace(list, name).second) return;
    AddProblem(document_, node, PlaceOf::kValue, kRuleSameName, "a rule before says this of the same thing", "",
               problems_);
  }

  std::string Reason(const json& rule, const Node& node, const record::RedactionRules& rules) {
    std::string reason = rule.at("reason");
    if (rules.reasons.contains(reason)) return reason;
    std::vector<std::string> known;
    for (const auto& [code, sentence] : rules.reasons) known.push_back(code);
    const std::string nearest = NearestName(reason, known);
    AddProblem(document_, *node.Find("reason"), PlaceOf::kValue, kRuleReference,
               "`reasons` does not explain \"" + reason + "\"",
               nearest.empty() ? "" : "did you mean `" + nearest + "`?", problems_);
    return reason;
  }

  const Document& document_;
  const json& values_;
  Problems& problems_;
  std::set<std::pair<std::string, std::string>> seen_;
};

}  // namespace

const FieldTable& RedactionTable() {
  static const FieldTable table{
      "redaction",
      "Which parts of a record are withheld from whom when it is published.",
      {FormatField("keyceremony-redaction/1"), Field::Text("title", "what the rules are for"),
       Field::Choice("publish", Labels(), "the highest label that the bundle shows").Default("green"),
       Field::Map("reasons", IdShape(), Field::Text("sentence", "the reason, in words"), 1, kMostReasons,
                  "why things are withheld, each under a short name"),
       Field::List("entries",
                   Field::Table("rule",
                                {"entry rule",
                                 "How confidential entries are; `step`, `request` and whatever else binds others is "
                                 "never withheld.",
                                 {Field::Choice("type", Types(), "the type of the entries"),
                                  Field::Id("what", "only those with this `what`, such as `seals`").Optional(),
                                  LabelField(), ReasonField()},
                                 {}},
                                "one rule"),
                   0, kMostRules, "whole entries")
           .DefaultJson("[]"),
       Field::List("fields",
                   Field::Table("rule",
                                {"field rule",
                                 "How confidential a field is, wherever it stands. Above the label of the bundle it "
                                 "must have been withheld when the entry was written.",
                                 {Field::Text("name", "the field's name"), LabelField()},
                                 {}},
                                "one rule"),
                   0, kMostRules, "single fields")
           .DefaultJson("[]"),
       Field::List("files",
                   Field::Table("rule",
                                {"file rule",
                                 "How confidential a file is, or all files in a folder.",
                                 {Field::Path("path", "in the record: below `inputs` or `artefacts`"), LabelField(),
                                  ReasonField()},
                                 {}},
                                "one rule"),
                   0, kMostRules, "files")
           .DefaultJson("[]")},
      {}};
  return table;
}

base::Result<RedactionFile> ParseRedaction(LoadedFile file, Problems* problems) {
  const auto build = [](const Document& document, const json& values, RedactionFile& rules, Problems& all) {
    rules = Reader(document, values, all).Read();
  };
  return Parsed<RedactionFile>(RedactionTable(), std::move(file), problems, build);
}

}  // namespace ceremony::script
