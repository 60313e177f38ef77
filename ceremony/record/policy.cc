#include "ceremony/record/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr std::size_t kMaxLogs = 64;
constexpr std::size_t kMaxWitnesses = 256;
constexpr std::size_t kMaxGroups = 256;
constexpr std::string_view kNone = "none";

bool IsPolicyOctet(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet == '\t' || octet == '\n' || (octet >= 0x20 && octet <= 0x7e) || octet >= 0x80;
}

std::vector<std::string_view> Items(std::string_view line) {
  std::vector<std::string_view> items;
  constexpr std::string_view kBlank = " \t";
  for (std::size_t at = line.find_first_not_of(kBlank); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    items.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kBlank, end);
  }
  return items;
}

// PolicyReader holds what has been defined so far, line by line.
class PolicyReader final {
 public:
  PolicyReader(std::vector<Policy::Log>& logs, std::vector<Policy::Witness>& witnesses,
               std::vector<Policy::Group>& groups)
      : logs_(logs), witnesses_(witnesses), groups_(groups) {}

  Result<void> Read(std::span<const std::string_view> items) {
    const std::string_view keyword = items[0];
    const std::span<const std::string_view> rest = items.subspan(1);
    if (keyword == "log") return ReadLog(rest);
    if (keyword == "witness") return ReadWitness(rest);
    if (keyword == "group") return ReadGroup(rest);
    if (keyword == "quorum") return ReadQuorum(rest);
    return Bad(fmt::format("\"{}\" is not log, witness, group or quorum", keyword));
  }

  const std::optional<std::string>& quorum() const { return quorum_; }
  static base::Error Bad(std::string problem) { return MakeError(ErrorCode::kInvalidInput, std::move(problem)); }

 private:
  Result<void> ReadLog(std::span<const std::string_view> items) {
    if (items.empty() || items.size() > 2) return Bad("expected: log VKEY [URL]");
    KC_ASSIGN_OR_RETURN(VerifierKey key, VerifierKey::Parse(items[0]));
    for (const Policy::Log& other : logs_) {
      if (other.key.public_key() == key.public_key())
        return Bad(fmt::format("the log key {} stands here twice", key.name()));
    }
    if (logs_.size() == kMaxLogs) return Bad(fmt::format("more than {} logs", kMaxLogs));
    logs_.push_back({std::move(key), std::string(items.size() > 1 ? items[1] : "")});
    return {};
  }

  Result<void> ReadWitness(std::span<const std::string_view> items) {
    if (items.size() < 2 || items.size() > 3) return Bad("expected: witness NAME VKEY [URL]");
    KC_RETURN_IF_ERROR(Define(items[0]));
    KC_ASSIGN_OR_RETURN(VerifierKey key, VerifierKey::Parse(items[1]));
    for (const Policy::Witness& other : witnesses_) {
      if (other.key.public_key() == key.public_key())
        return Bad(fmt::format("witnesses {} and {} have one key", other.name, items[0]));
    }
    if (witnesses_.size() == kMaxWitnesses) return Bad(fmt::format("more than {} witnesses", kMaxWitnesses));
    witnesses_.push_back({std::string(items[0]), std::move(key), std::string(items.size() > 2 ? items[2] : "")});
    return {};
  }

  Result<void> ReadGroup(std::span<const std::string_view> items) {
    if (items.size() < 3) return Bad("expected: group NAME all|any|K MEMBER...");
    const std::span<const std::string_view> members = items.subspan(2);
    Policy::Group group{std::string(items[0]), 0, {}};
    for (const std::string_view member : members) {
      if (!defined_.contains(member))
        return Bad(fmt::format("group {} names {}, which is not defined above", group.name, member));
      if (!is_member_.insert(std::string(member)).second) return Bad(fmt::format("{} is a member twice", member));
      group.members.emplace_back(member);
    }
    KC_ASSIGN_OR_RETURN(group.threshold, ReadThreshold(items[1], members.size()));
    KC_RETURN_IF_ERROR(Define(items[0]));
    if (groups_.size() == kMaxGroups) return Bad(fmt::format("more than {} groups", kMaxGroups));
    groups_.push_back(std::move(group));
    return {};
  }

  Result<std::size_t> ReadThreshold(std::string_view text, std::size_t members) {
    if (text == "any") return std::size_t{1};
    if (text == "all") return members;
    std::size_t threshold = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threshold);
    if (error != std::errc() || end != text.data() + text.size() || text.front() == '0') {
      return Bad(fmt::format("the threshold \"{}\" is not all, any or a decimal number from 1", text));
    }
    if (threshold > members)
      return Bad(fmt::format("the threshold {} is more than the {} members", threshold, members));
    return threshold;
  }

  Result<void> ReadQuorum(std::span<const std::string_view> items) {
    if (items.size() != 1) return Bad("expected: quorum NAME");
    if (quorum_.has_value()) return Bad("a second quorum line");
    if (items[0] != kNone && !defined_.contains(items[0]))
      return Bad(fmt::format("the quorum {} is not defined above", items[0]));
    quorum_ = std::string(items[0]);
    return {};
  }

  Result<void> Define(std::string_view name) {
    if (name == kNone) return Bad("the name none is taken");
    if (!defined_.insert(std::string(name)).second) return Bad(fmt::format("the name {} is defined twice", name));
    return {};
  }

  std::vector<Policy::Log>& logs_;
  std::vector<Policy::Witness>& witnesses_;
  std::vector<Policy::Group>& groups_;
  std::set<std::string, std::less<>> defined_;
  std::set<std::string, std::less<>> is_member_;
  std::optional<std::string> quorum_;
};

}  // namespace

Result<Policy> Policy::Parse(std::string_view text) {
  const auto bad = [](int line, std::string_view problem) {
    return MakeError(ErrorCode::kInvalidInput, fmt::format("policy line {}: {}", line, problem));
  };
  if (const auto octet = std::ranges::find_if_not(text, IsPolicyOctet); octet != text.end()) {
    return bad(1 + static_cast<int>(std::count(text.begin(), octet, '\n')), "a control character");
  }
  Policy policy;
  PolicyReader reader(policy.logs_, policy.witnesses_, policy.groups_);
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return bad(number, "no newline at its end");
    const std::vector<std::string_view> items = Items(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (items.empty() || items[0].front() == '#') continue;
    if (Result<void> read = reader.Read(items); !read.ok()) {
      base::Error error = read.error();
      error.message = fmt::format("policy line {}: {}", number, error.message);
      return error;
    }
  }
  if (!reader.quorum().has_value()) return MakeError(ErrorCode::kInvalidInput, "a policy has no quorum line");
  policy.quorum_ = *reader.quorum();
  KC_RETURN_IF_ERROR(policy.CheckPeople());
  return policy;
}

Result<Policy> Policy::OfPeople(std::string_view quorum_name, std::size_t threshold, std::span<const Person> people) {
  // Spelled as text and parsed, so that one set of rules judges every policy.
  if (threshold < 1 || threshold > people.size()) {
    return MakeError(ErrorCode::kInvalidInput, fmt::format("a quorum of {} among {} people", threshold, people.size()));
  }
  std::string witnesses;
  std::string groups;
  std::string members;
  for (const Person& person : people) {
    if (person.keys.empty()) return MakeError(ErrorCode::kInvalidInput, fmt::format("{} has no key", person.id));
    members += " " + person.id;
    std::string own;
    for (std::size_t i = 0; i < person.keys.size(); ++i) {
      if (person.keys[i].name() != person.keys[0].name()) {
        return MakeError(ErrorCode::kInvalidInput, fmt::format("{} has keys of two names, {} and {}", person.id,
                                                               person.keys[0].name(), person.keys[i].name()));
      }
      const std::string name = person.keys.size() == 1 ? person.id : fmt::format("{}.{}", person.id, i + 1);
      witnesses += fmt::format("witness {} {}\n", name, person.keys[i].Text());
      own += " " + name;
    }
    if (person.keys.size() > 1) groups += fmt::format("group {} any{}\n", person.id, own);
  }
  return Parse(
      fmt::format("{}{}group {} {}{}\nquorum {}\n", witnesses, groups, quorum_name, threshold, members, quorum_name));
}

std::string Policy::Text() const {
  std::string text;
  const auto with_url = [](const std::string& url) { return url.empty() ? std::string() : " " + url; };
  for (const Log& log : logs_) text += fmt::format("log {}{}\n", log.key.Text(), with_url(log.url));
  for (const Witness& witness : witnesses_) {
    text += fmt::format("witness {} {}{}\n", witness.name, witness.key.Text(), with_url(witness.url));
  }
  for (const Group& group : groups_) {
    text += fmt::format("group {} {} {}\n", group.name, group.threshold, fmt::join(group.members, " "));
  }
  return text + fmt::format("quorum {}\n", quorum_);
}

std::vector<VerifierKey> Policy::Keys() const {
  std::vector<VerifierKey> keys;
  for (const Witness& witness : witnesses_) keys.push_back(witness.key);
  return keys;
}

// Below one group a person may answer for one member only: through several
// direct witnesses (they count once) or through one subgroup, not two.
Result<void> Policy::CheckPeople() const {
  std::map<std::string, std::set<std::string>> people_of;  // below a group, subgroups included
  for (const Group& group : groups_) {
    std::set<std::string>& people = people_of[group.name];
    std::map<std::string, std::string> subgroup_of;
    for (const std::string& member : group.members) {
      const Witness* witness = FindWitness(member);
      const std::set<std::string> below =
          witness != nullptr ? std::set<std::string>{witness->key.name()} : people_of[member];
      for (const std::string& person : below) {
        const bool fresh = people.insert(person).second;
        const bool direct_again = !fresh && witness != nullptr && !subgroup_of.contains(person);
        if (!fresh && !direct_again) {
          return MakeError(ErrorCode::kInvalidInput,
                           fmt::format("in group {} the person {} could count twice", group.name, person))
              .WithHint("put all keys of one person into one group of threshold any");
        }
        if (witness == nullptr) subgroup_of[person] = member;
      }
    }
  }
  return {};
}

Policy::Verdict Policy::Evaluate(std::span<const std::size_t> signers) const {
  const auto signed_by = std::make_unique<bool[]>(witnesses_.size());
  std::set<std::string> people;
  for (const std::size_t signer : signers) {
    if (signer >= witnesses_.size()) {
      std::fputs("keyceremony: bug: a signer that is no witness of the policy\n", stderr);
      std::abort();
    }
    signed_by[signer] = true;
    people.insert(witnesses_[signer].key.name());
  }
  const std::span<const bool> by(signed_by.get(), witnesses_.size());
  Verdict verdict;
  verdict.people.assign(people.begin(), people.end());
  if (quorum_ == kNone) {
    verdict.met = true;
  } else if (const Group* group = FindGroup(quorum_); group != nullptr) {
    verdict.needed = group->threshold;
    verdict.counted = Count(*group, by);
    verdict.met = verdict.counted >= verdict.needed;
  } else {
    verdict.needed = 1;
    verdict.counted = Satisfied(quorum_, by) ? 1 : 0;
    verdict.met = verdict.counted == 1;
  }
  return verdict;
}

std::size_t Policy::Count(const Group& group, std::span<const bool> signed_by) const {
  std::size_t count = 0;
  std::set<std::string_view> people;
  for (const std::string& member : group.members) {
    if (!Satisfied(member, signed_by)) continue;
    const Witness* witness = FindWitness(member);
    if (witness == nullptr || people.insert(witness->key.name()).second) ++count;
  }
  return count;
}

bool Policy::Satisfied(std::string_view member, std::span<const bool> signed_by) const {
  if (const Witness* witness = FindWitness(member); witness != nullptr) {
    return signed_by[static_cast<std::size_t>(witness - witnesses_.data())];
  }
  const Group* group = FindGroup(member);
  return group != nullptr && Count(*group, signed_by) >= group->threshold;
}

const Policy::Group* Policy::FindGroup(std::string_view name) const {
  const auto found = std::ranges::find(groups_, name, &Group::name);
  return found == groups_.end() ? nullptr : &*found;
}

const Policy::Witness* Policy::FindWitness(std::string_view name) const {
  const auto found = std::ranges::find(witnesses_, name, &Witness::name);
  return found == witnesses_.end() ? nullptr : &*found;
}

}  // namespace ceremony::record
