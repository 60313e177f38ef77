#include "ceremony/steps/key_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "hsm/base/clock_text.h"
#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"

namespace ceremony::steps {
namespace {

using estate::KeyUsageStated;

constexpr std::string_view kTitle = "keyceremony key usage";
constexpr std::string_view kNever = "never";
constexpr std::size_t kDateLength = 10;

std::optional<int> NumberIn(std::string_view text, std::size_t at, std::size_t size) {
  int value = 0;
  if (text.size() < at + size) return std::nullopt;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + size, value);
  if (error != std::errc() || end != begin + size) return std::nullopt;
  return value;
}

std::optional<std::chrono::year_month_day> DayOf(std::string_view time) {
  const auto year = NumberIn(time, 0, 4);
  const auto month = NumberIn(time, 5, 2);
  const auto day = NumberIn(time, 8, 2);
  if (!year || !month || !day || time[4] != '-' || time[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return date;
}

std::string Spell(const std::chrono::year_month_day& date) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

base::Error NoDay(std::string_view text) {
  return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("\"{}\" does not begin with a day", text));
}

base::Error Malformed(const std::string& why) {
  return base::Refusal("KEY-USE-02", "the statement of use " + why,
                       "it is five lines: docs/keys.md, \"Statements of use\"");
}

}  // namespace

base::Result<UseStatement> ParseUseStatement(std::string_view text) {
  std::array<std::string_view, 5> lines;
  for (std::string_view& line : lines) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return Malformed("ends within a line");
    line = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  if (!text.empty()) return Malformed("has more than five lines");
  if (lines[0] != kTitle) return Malformed(fmt::format("does not begin with \"{}\"", kTitle));
  constexpr std::array<std::string_view, 4> kNames = {"key ", "count ", "first ", "last "};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::string_view& line = lines[i + 1];
    if (!line.starts_with(kNames[i])) return Malformed(fmt::format("has no \"{}\" in line {}", kNames[i], i + 2));
    line.remove_prefix(kNames[i].size());
  }
  UseStatement statement{std::string(lines[1]), 0, {}, {}};
  const auto [end, error] = std::from_chars(lines[2].data(), lines[2].data() + lines[2].size(), statement.count);
  if (error != std::errc() || end != lines[2].data() + lines[2].size() || statement.count < 0)
    return Malformed(fmt::format("has the count \"{}\"", lines[2]));
  for (const auto& [line, field] : {std::pair(lines[3], &statement.first), std::pair(lines[4], &statement.last)}) {
    if (line == kNever) continue;
    if (!base::ParseTime(line).ok()) return Malformed(fmt::format("has the time \"{}\"", line));
    *field = std::string(line);
  }
  if ((statement.count == 0) != statement.first.empty() || (statement.count == 0) != statement.last.empty())
    return Malformed(fmt::format("counts {} and has the times \"{}\" and \"{}\"", statement.count, lines[3], lines[4]));
  return statement;
}

base::Result<void> CheckUseSignature(const script::Person& person, std::string_view text, base::ByteView signature) {
  const auto refuse = [&](const std::string& why) {
    return base::Refusal("KEY-USE-03", fmt::format("the statement of use is not signed by {}: {}", person.name, why),
                         "have it signed anew: openssl dgst -sha256 -sign KEY -out FILE.sig FILE");
  };
  if (person.sign_key.empty()) return refuse("the roster has no signing key of theirs");
  KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(person.sign_key));
  KC_ASSIGN_OR_RETURN(const base::PublicKey key, base::PublicKey::FromSpki(spki));
  const auto verified = key.Verify(base::SignatureScheme::kEcdsa, base::AsBytes(text), signature);
  if (!verified.ok()) return refuse(verified.error().message);
  return {};
}

std::int64_t CertificatesBy(const estate::Estate& estate, const std::string& key) {
  return std::count_if(estate.certificates().begin(), estate.certificates().end(),
                       [&](const estate::Certificate& c) { return c.issuer_key == key && c.key != key; });
}

base::Result<void> CheckUse(const UseStatement& statement, const estate::Key& key, const estate::Estate& estate,
                            const std::string& now) {
  const auto refuse = [&](const std::string& why) {
    return base::Refusal("KEY-USE-01", fmt::format("the statement of the use of key {} {}", key.name, why),
                         "have the figures taken anew from the CA's own log");
  };
  if (statement.spki_sha256 != key.spki_sha256)
    return refuse(fmt::format("is of key {}, this one is {}", statement.spki_sha256, key.spki_sha256));
  if (const std::int64_t known = CertificatesBy(estate, key.name); statement.count < known)
    return refuse(fmt::format("counts {}, the archive knows {} certificates by it", statement.count, known));
  if (statement.count > 0) {
    const auto first = base::ParseTime(statement.first);
    const auto last = base::ParseTime(statement.last);
    if (!first.ok()) return refuse("has a first use at no time: " + first.error().message);
    if (!last.ok()) return refuse("has a last use at no time: " + last.error().message);
    KC_ASSIGN_OR_RETURN(const std::int64_t today, base::ParseTime(now));
    if (*last < *first)
      return refuse(fmt::format("has the last use on {}, before the first on {}", statement.last, statement.first));
    if (*last > today) return refuse(fmt::format("has the last use on {}, it is {}", statement.last, now));
  }
  // What the estate would refuse is refused before anybody approves it.
  auto trial = estate;
  return trial.Apply(KeyUsageStated{key.name, statement.count, statement.first, statement.last, "", ""},
                     {"stated", 0, now});
}

const script::KeyCap* FindCap(const script::Policy& policy, std::string_view use) {
  const auto found =
      std::find_if(policy.caps.begin(), policy.caps.end(), [&](const script::KeyCap& cap) { return cap.use == use; });
  return found == policy.caps.end() ? nullptr : &*found;
}

CapState CapOf(const script::KeyCap* cap, const estate::Key& key, const UseStatement& use, const std::string& now) {
  CapState state;
  if (cap == nullptr) return state;
  if (cap->days > 0) {
    if (const auto day = AddDays(key.since.time, cap->days); day.ok()) {
      const std::string reached = *day + key.since.time.substr(kDateLength);
      if (reached <= now) state = {reached, "days"};
    }
  }
  if (cap->certificates > 0 && use.count >= cap->certificates && (state.reached.empty() || use.last < state.reached))
    state = {use.last, "certificates"};
  return state;
}

base::Result<std::string> AddDays(std::string_view time, std::int64_t days) {
  const auto date = DayOf(time);
  if (!date) return NoDay(time);
  return Spell(std::chrono::year_month_day(std::chrono::sys_days(*date) + std::chrono::days(days)));
}

base::Result<std::string> AddMonths(std::string_view time, int months) {
  const auto date = DayOf(time);
  if (!date) return NoDay(time);
  std::chrono::year_month_day later = *date + std::chrono::months(months);
  if (!later.ok()) later = later.year() / later.month() / std::chrono::last;
  return Spell(later);
}

base::Result<std::int64_t> MinutesBetween(std::string_view from, std::string_view to) {
  KC_ASSIGN_OR_RETURN(const std::int64_t begins, base::ParseTime(from));
  KC_ASSIGN_OR_RETURN(const std::int64_t ends, base::ParseTime(to));
  return std::chrono::floor<std::chrono::minutes>(std::chrono::microseconds(ends - begins)).count();
}

}  // namespace ceremony::steps
