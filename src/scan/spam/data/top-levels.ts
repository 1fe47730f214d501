/**
 * Suffixes under which domains are cheap, and which spam therefore uses far more than business does, as the yearly reports
 * about abuse of domains say; written for this project. Also those that are sold below a domain (`sa.com`).
 */
export const CHEAP_SUFFIXES: ReadonlySet<string> = new Set(
  `
  accountant accountants asia autos bar beauty best bid blog boats bond buzz cam cf cfd christmas click cricket cyou date digital
  download faith forum fun ga gdn gq hair help homes host icu ink kim lat life link live loan lol makeup men ml mom monster
  motorcycles online party pics press pw quest racing ren rest review ru.com sa.com sbs science shop site skin space store
  stream su surf tattoo tk today top trade uno vip wang webcam website win work world xin xyz yachts za.com
  `
    .trim()
    .split(/\s+/),
)

/** Below these anybody can buy a name, as below `com`: private suffixes that give no place to put pages. */
export const SOLD_SUFFIXES: ReadonlySet<string> = new Set(
  'ae.org br.com cn.com co.com com.de com.se de.com eu.com eu.org gb.net gr.com hu.net in.net jp.net jpn.com kr.com mex.com ru.com sa.com se.net uk.com uk.net us.com us.org za.bz za.com'.split(
    ' ',
  ),
)
