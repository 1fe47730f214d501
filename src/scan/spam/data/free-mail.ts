/**
 * Mail domains where anybody has an address within minutes, or has had one from a provider of access: their name says nothing
 * about who writes. The well-known ones; written for this project.
 */
export const FREE_MAIL: ReadonlySet<string> = new Set(
  `
  gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.ca yahoo.in
  yahoo.co.in yahoo.co.jp yahoo.com.br yahoo.com.ar yahoo.com.au yahoo.com.mx yahoo.com.sg yahoo.com.hk
  yahoo.com.tw yahoo.com.vn yahoo.co.id yahoo.co.nz yahoo.ie yahoo.pl yahoo.ro yahoo.gr yahoo.se yahoo.no
  yahoo.dk ymail.com rocketmail.com myyahoo.com hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.es
  hotmail.it hotmail.be hotmail.nl hotmail.ca hotmail.se hotmail.no hotmail.dk hotmail.com.br hotmail.com.ar
  outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.at outlook.be outlook.jp outlook.com.br
  outlook.sa outlook.co.id live.com live.de live.fr live.it live.nl live.be live.ca live.co.uk live.se live.dk
  live.at live.com.mx live.com.ar msn.com windowslive.com passport.com aol.com aol.de aol.co.uk aol.fr aim.com
  netscape.net icloud.com me.com mac.com gmx.de gmx.net gmx.com gmx.at gmx.ch gmx.us gmx.co.uk gmx.fr web.de
  email.de mail.de freenet.de t-online.de arcor.de posteo.de posteo.net mailbox.org protonmail.com protonmail.ch
  proton.me pm.me tutanota.com tutanota.de tuta.io tutamail.com mail.com email.com usa.com europe.com asia.com
  post.com consultant.com engineer.com accountant.com dr.com iname.com myself.com techie.com contractor.net
  execs.com cheerful.com workmail.com mail.ru inbox.ru list.ru bk.ru internet.ru yandex.ru yandex.com ya.ru
  yandex.ua yandex.by yandex.kz rambler.ru ukr.net i.ua meta.ua qq.com foxmail.com 163.com 126.com yeah.net
  sina.com sina.cn sohu.com 139.com aliyun.com tom.com 21cn.com naver.com daum.net hanmail.net nate.com
  rediffmail.com indiatimes.com zoho.com zohomail.com zohomail.eu fastmail.com fastmail.fm hushmail.com lycos.com
  excite.com juno.com netzero.net netzero.com comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net
  charter.net earthlink.net shaw.ca rogers.com sympatico.ca videotron.ca bigpond.com bigpond.net.au
  optusnet.com.au btinternet.com virginmedia.com sky.com talktalk.net ntlworld.com blueyonder.co.uk orange.fr
  wanadoo.fr free.fr laposte.net sfr.fr neuf.fr libero.it virgilio.it tiscali.it alice.it tin.it tim.it inwind.it
  iol.it email.it telefonica.net terra.com.br uol.com.br bol.com.br ig.com.br globo.com r7.com zipmail.com.br
  seznam.cz centrum.cz email.cz post.cz volny.cz azet.sk wp.pl o2.pl onet.pl onet.eu interia.pl gazeta.pl op.pl
  poczta.onet.pl vp.pl abv.bg mail.bg inbox.lv bluewin.ch hispeed.ch a1.net chello.at aon.at telenet.be skynet.be
  ziggo.nl kpnmail.nl planet.nl xs4all.nl home.nl mail.ee walla.com walla.co.il netvision.net.il mynet.com
  freemail.hu citromail.hu centrum.sk sapo.pt mail.pt in.gr otenet.gr duck.com inbox.com mailfence.com runbox.com
  disroot.org onmail.com skiff.com
  `
    .trim()
    .split(/\s+/),
)
