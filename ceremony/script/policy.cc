#include "ceremony/script/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ceremony/script/algorithm_choices.h"
#include "ceremony/script/names.h"
#include "ceremony/script/parsed.h"
#include "ceremony/x509/signature_algorithm.h"
#include "hsm/base/public_key.h"

namespace ceremony::script {
namespace {

using nlohmann::json;

constexpr Named<Severity> Grade(Severity severity, std::string_view help) {
  return {severity, x509::SeverityName(severity), help};
}
constexpr std::array kSeverities{
    Grade(Severity::kBreach, "the ceremony may not go on"),
    Grade(Severity::kGoodPractice, "nor with this, but a rehearsal may"),
};

constexpr std::array kSpreads{
    Named<QuorumSpread>{QuorumSpread::kAny, "any", "no rule"},
    Named<QuorumSpread>{QuorumSpread::kSeveral, "several", "the people of one jurisdiction never reach m alone"},
    Named<QuorumSpread>{QuorumSpread::kOne, "one", "all are of the same jurisdiction"},
};

constexpr double kLeastPinBits = 32;

// More than anybody issues, and a number that can be counted in minutes.
constexpr std::int64_t kMostCertificates = 1'000'000'000'000;

// The alphabet is what a keypad and every module can take: printable ASCII.
const Shape& AlphabetShape() {
  static const Shape shape{"alphabet", Pattern::Parse("[!-~]{10,94}").value(), "10 to 94 printable ASCII characters"};
  return shape;
}

Field Whole(std::string name, FieldTable table, std::string help) {
  return Field::Table(std::move(name), std::move(table), std::move(help));
}

FieldTable ClockTable() {
  return {"clock",
          "The machine's clock against the one that is read aloud.",
          {Field::Integer("tolerance_seconds", 0, 3600, "most that the two may differ")},
          {}};
}

FieldTable WindowTable() {
  return {"window",
          "How long a section may take while tokens are open.",
          {Field::Integer("warn_minutes", 1, 10'000, "when people are warned"),
           Field::Integer("stop_minutes", 1, 10'000, "when the section must stop")},
          {}};
}

FieldTable QuorumTable() {
  return {
      "quorum rules",
      "What every quorum must be.",
      {Field::Integer("minimum_m", 1, 255, "least m of any quorum"),
       Field::Integer("spare", 0, 255, "active members wanted beyond m, or an alarm is raised"),
       Field::Boolean("one_employer_below_m", "whether the people of one employer must never reach m alone"),
       Field::Choice("jurisdiction", ChoicesOf(kSpreads), "where its members may be, by `jurisdictions`")
           .Default("any"),
       Field::Integer("approval_minutes", 0, 10'000, "most minutes from a request to its last cosignature; 0: no limit")
           .Default(0)},
      {}};
}

FieldTable PinTable() {
  return {"pin rules",
          "PINs that the product makes.",
          {Field::Shaped("alphabet", AlphabetShape(), "the characters they are made of").Length(10, 94),
           Field::Integer("user_length", 4, 64, "characters of a user PIN"),
           Field::Integer("so_length", 4, 64, "characters of a security officer PIN")},
          {}};
}

FieldTable AlgorithmTable() {
  return {"algorithms",
          "What may be used.",
          {Field::List("ca_keys", Field::Choice("algorithm", KeyChoices(), "a key type"), 1, 10,
                       "keys of certification authorities")
               .Unique(),
           Field::List("signatures", Field::Choice("algorithm", SignatureChoices(), "a signature algorithm"), 1, 10,
                       "what profiles of certificates and CRLs may sign by")
               .Unique()},
          {}};
}

FieldTable WaiverTable() {
  return {"waiver", "How a finding is waived.", {Field::Integer("people", 1, 20, "named people who must agree")}, {}};
}

FieldTable CrlTable() {
  return {"crl rules",
          "How old revocation lists may be.",
          {Field::Integer("arl_days", 0, 10'000, "of authorities; 0: no rule"),
           Field::Integer("crl_hours", 0, 100'000, "of end entities; 0: no rule")},
          {}};
}

FieldTable CapTable() {
  return {"cap",
          "How long a key may be in service.",
          {Field::Integer("certificates", 0, kMostCertificates, "most certificates; 0: no limit"),
           Field::Integer("days", 0, 100'000, "most days; 0: no limit"),
           Field::Integer("deactivate_minutes", 0, 100'000, "minutes from the cap to deactivation, at most"),
           Field::Integer("hold_months", 0, 1200, "months from deactivation to destruction, at most")},
          {}};
}

FieldTable RuleTable() {
  return {"rule",
          "Grades a rule of the product by its id, or states a rule of the operator's own.",
          {Field::Shaped("id", RuleShape(), "the rule's id").Length(3, 64).Example("\"QUORUM-MAJORITY-01\""),
           Field::Choice("severity", ChoicesOf(kSeverities), "how grave a finding is"),
           Field::Prose("text", "the rule in words").Optional(),
           Field::Text("clause", "where the operator's documents say so").Optional()},
          {}};
}

void CheckPins(const Document& document, const PinPolicy& pin, Problems& problems) {
  const Node& node = *document.root().Find("pin");
  std::set<char> characters;
  for (const char c : pin.alphabet) {
    if (characters.insert(c).second) continue;
    AddProblem(document, *node.Find("alphabet"), PlaceOf::kValue, kRuleSameName,
               fmt::format("expected characters that differ, found `{}` twice", c), "", problems);
    return;  // how long a PIN must be follows from how many there are
  }
  const double bits = std::log2(static_cast<double>(characters.size()));
  for (const auto& [member, length] :
       {std::pair{"user_length", pin.user_length}, std::pair{"so_length", pin.so_length}}) {
    if (bits * length >= kLeastPinBits) continue;
    AddProblem(document, *node.Find(member), PlaceOf::kValue, kRuleContradiction,
               fmt::format("expected at least {:.0f} characters of this alphabet ({:.0f} bits of chance), found {}",
                           std::ceil(kLeastPinBits / bits), kLeastPinBits, length),
               "", problems);
  }
}

void Check(const Document& document, const Policy& policy, Problems& problems) {
  const Node& root = document.root();
  if (policy.window.stop_minutes < policy.window.warn_minutes) {
    AddProblem(document, *root.Find("window")->Find("stop_minutes"), PlaceOf::kValue, kRuleContradiction,
               fmt::format("expected at least warn_minutes, {}, found {}", policy.window.warn_minutes,
                           policy.window.stop_minutes),
               "", problems);
  }
  CheckPins(document, policy.pin, problems);
  std::map<std::string, std::string> jurisdictions;  // of sites
  for (const Jurisdiction& jurisdiction : policy.jurisdictions) {
    for (std::size_t i = 0; i < jurisdiction.sites.size(); ++i) {
      const auto [first, is_new] = jurisdictions.emplace(jurisdiction.sites[i], jurisdiction.name);
      if (is_new) continue;
      AddProblem(
          document, *root.Find("jurisdictions")->Find(jurisdiction.name)->children()[i], PlaceOf::kValue, kRuleSameName,
          fmt::format("expected a site of its own, found one that is in \"{}\", too", first->second), "", problems);
    }
  }
  std::map<std::string, Position> ids;
  const Node* rules = root.Find("rules");
  for (std::size_t i = 0; rules != nullptr && i < rules->children().size(); ++i) {
    const Node& id = *rules->children()[i]->Find("id");
    const auto [first, is_new] = ids.emplace(id.text(), id.position());
    if (is_new) continue;
    AddProblem(document, id, PlaceOf::kValue, kRuleSameName,
               fmt::format("expected a rule of its own, found that of line {}", first->second.line), "", problems);
  }
}

void BuildPolicy(const json& values, Policy& policy) {
  policy.id = values.at("id");
  policy.version = values.at("version");
  policy.title = values.at("title");
  policy.clock.tolerance_seconds = values.at("clock").at("tolerance_seconds");
  policy.window = {values.at("window").at("warn_minutes"), values.at("window").at("stop_minutes")};
  const json& quorum = values.at("quorum");
  policy.quorum = {quorum.at("minimum_m"), quorum.at("spare"), quorum.at("one_employer_below_m"),
                   ValueOf(kSpreads, quorum.at("jurisdiction").get_ref<const std::string&>()),
                   quorum.at("approval_minutes")};
  const json& pin = values.at("pin");
  policy.pin = {pin.at("alphabet"), pin.at("user_length"), pin.at("so_length")};
  policy.algorithms.ca_keys = values.at("algorithms").at("ca_keys").get<std::vector<std::string>>();
  policy.algorithms.signatures = values.at("algorithms").at("signatures").get<std::vector<std::string>>();
  for (const auto& [certificate, days] : values.at("validity").items()) policy.validity.push_back({certificate, days});
  for (const auto& [use, cap] : values.at("caps").items()) {
    policy.caps.push_back(
        {use, cap.at("certificates"), cap.at("days"), cap.at("deactivate_minutes"), cap.at("hold_months")});
  }
  policy.crl = {values.at("crl").at("arl_days"), values.at("crl").at("crl_hours")};
  // The table has accepted every role.
  for (const auto& [role, minimum] : values.at("attendance").items()) {
    policy.attendance.push_back({*FindRole(role), minimum});
  }
  for (const json& pair : values.at("roles_apart")) {
    policy.roles_apart.push_back(
        {*FindRole(pair[0].get_ref<const std::string&>()), *FindRole(pair[1].get_ref<const std::string&>())});
  }
  for (const auto& [name, sites] : values.at("jurisdictions").items())
    policy.jurisdictions.push_back({name, sites.get<std::vector<std::string>>()});
  policy.confidential = values.at("confidential").get<std::vector<std::string>>();
  policy.waiver_people = values.at("waiver").at("people");
  policy.statement_signing = values.at("statement_signing");
  for (const json& rule : values.at("rules")) {
    policy.rules.push_back({rule.at("id"), ValueOf(kSeverities, rule.at("severity").get_ref<const std::string&>()),
                            rule.value("text", ""), rule.value("clause", "")});
  }
}

}  // namespace

std::string Policy::JurisdictionOf(std::string_view site) const {
  for (const Jurisdiction& jurisdiction : jurisdictions) {
    if (std::ranges::find(jurisdiction.sites, site) != jurisdiction.sites.end()) return jurisdiction.name;
  }
  return {};
}

const PolicyRule* Policy::FindRule(std::string_view rule) const {
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const PolicyRule& each) { return each.id == rule; });
  return found == rules.end() ? nullptr : &*found;
}

bool Policy::KeepsConfidential(std::string_view field) const {
  return std::ranges::find(confidential, field) != confidential.end();
}

bool Policy::AllowsKey(std::string_view algorithm) const {
  return std::find(algorithms.ca_keys.begin(), algorithms.ca_keys.end(), algorithm) != algorithms.ca_keys.end();
}

bool Policy::AllowsSignature(std::string_view algorithm) const {
  return std::find(algorithms.signatures.begin(), algorithms.signatures.end(), algorithm) !=
         algorithms.signatures.end();
}

const FieldTable& PolicyTable() {
  static const FieldTable table{
      "policy",
      "The numbers and rules of an operator.",
      {FormatField("keyceremony-policy/1"), Field::Id("id", "names the policy").Example("\"smki\""),
       Field::Shaped("version", VersionShape(), "its version").Example("\"1.0\""),
       Field::Text("title", "what people call it"), Whole("clock", ClockTable(), "how exact the clock must be"),
       Whole("window", WindowTable(), "the time a section may take"),
       Whole("quorum", QuorumTable(), "rules of quorums"), Whole("pin", PinTable(), "how PINs are made"),
       Whole("algorithms", AlgorithmTable(), "algorithms that may be used"),
       Whole("waiver", WaiverTable(), "waiving a rule"),
       Field::Map("validity", IdShape(), Field::Integer("days", 1, 4'000'000, "most days"), 0, 50,
                  "most days that a certificate of a kind is valid")
           .Example("{\"root\": 18263}")
           .DefaultJson("{}"),
       Field::Map("caps", IdShape(), Field::Table("cap", CapTable(), "a cap"), 0, 50, "life of keys by their use")
           .DefaultJson("{}"),
       Whole("crl", CrlTable(), "revocation lists").DefaultJson("{\"arl_days\": 0, \"crl_hours\": 0}"),
       Field::Map("attendance", RoleShape(), Field::Integer("minimum", 0, 100, "at least so many"), 0, 5,
                  "people of a role at every ceremony")
           .Example("{\"witness\": 1}")
           .DefaultJson("{}"),
       Field::List("roles_apart",
                   Field::List("pair", Field::Choice("role", RoleChoices(), "a role"), 2, 2, "two roles").Unique(), 0,
                   10, "roles that one person may not hold in one ceremony")
           .Example("[[\"administrator\", \"auditor\"]]")
           .DefaultJson("[]"),
       Field::Map(
           "jurisdictions", IdShape(),
           Field::List("sites", Field::Text("site", "a site, as the roster spells it"), 1, 50, "its sites").Unique(), 0,
           50, "sites under one law, by a name for it; who has no site in one may be in any")
           .Example("{\"england\": [\"Leeds\", \"London\"]}")
           .DefaultJson("{}"),
       Field::List("confidential", Field::Id("field", "`employer`, or the name of a fact that room.record takes down"),
                   0, 100,
                   "fields that records hold as salted digests whatever a script says: `employer` of everybody in the "
                   "room, facts by their names")
           .Unique()
           .Example("[\"employer\"]")
           .DefaultJson("[]"),
       Field::Boolean("statement_signing", "whether a CA key may sign a statement that proves a copy").Default(false),
       Field::List("rules", Field::Table("rule", RuleTable(), "a rule"), 0, 500,
                   "grades of rules; a rule that is not here is a breach")
           .DefaultJson("[]")},
      {}};
  return table;
}

base::Result<Policy> ParsePolicy(LoadedFile file, Problems* problems) {
  const auto build = [](const Document& document, const json& values, Policy& policy, Problems& all) {
    BuildPolicy(values, policy);
    Check(document, policy, all);
  };
  return Parsed<Policy>(PolicyTable(), std::move(file), problems, build);
}

base::Result<Policy> ReadPolicy(const std::string& path, Problems* problems) {
  KC_ASSIGN_OR_RETURN(LoadedFile file, LoadFile(path));
  return ParsePolicy(std::move(file), problems);
}

}  // namespace ceremony::script
