/** Concepts in scripts that put no space between words (Japanese, Chinese): found anywhere in a text. Written for this project. */
import type { Concept } from './concepts.ts'

const words = (text: string): readonly string[] => text.split(' ')

export const UNSPACED_CONCEPTS: Partial<Record<Concept, readonly string[]>> = {
  account: words('アカウント カード 口座 会員 パスワード ログイン情報 メールボックス 帳號 账户 邮箱 密码'),
  threat: words('停止 制限 異常 不正 無効 失効 期限切れ 差し押さえ 未納 解約 有効期限 失敗 異常活動 冻结 停用 过期'),
  act: words('確認 ログイン 更新 認証 手続き クリック 変更 解除 お支払い 验证 登录 点击'),
  press: words('こちら 確認 ログイン 手続き 進む 詳細 点击 查看'),
  deadline: words('重要 緊急 至急 時間以内 本日中 期日 お早め 期限 紧急 立即'),
  invoice: words('請求 お支払い 支払い 税金 還付 引き落とし 发票 付款'),
  delivery: words('お荷物 配達 再配達 不在 配送 包裹'),
  gift: words('ポイント プレゼント 当選 特典 キャンペーン 無料 积分'),
  nobody: words('お客様 会員様 ご利用者様 用户 尊敬的'),
}
