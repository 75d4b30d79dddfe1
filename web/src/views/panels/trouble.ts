import type { PanelObject } from '../../api/types'
import { wordFor } from '../../i18n'
import type { Catalogue } from '../../i18n/pl'

/**
 * A trouble of the panel in words: "system.batt" is one of the panel itself, "expander_ac.12" one of the device with
 * that number, which is named where its name is known. The same place in a panel's answer means different things on
 * different modules, so that what is known of the device decides the word too; satel.Trouble.Fault says the same.
 */
export function troubleText(words: Catalogue, name: string, objects: readonly PanelObject[] = [], model = ''): string {
  const { system, groups, gsm, ethm, modules } = words.areas.panels.troubleWords
  const [group = '', item = '', more = ''] = name.split('.')
  if (group === 'system') return item === 'no_line_voltage' && model.includes('WRL') ? system.auxiliary : wordFor(system, item)
  if (group === 'ethm_monitoring') return [groups.ethm_monitoring, wordFor(ethm, item)].filter(Boolean).join(': ')
  const kind = deviceKind(group)
  const number = Number(item) + (group === 'master_fob_batt' ? firstMaster : 0)
  const device = objects.find((object) => object.kind === kind && object.number === number)
  const meaning = meanings[group]?.[device?.function ?? 0]
  const where = [item, device?.name && `· ${device.name}`].filter(Boolean).join(' ')
  if (group === 'int_gsm') return `${groups.int_gsm} ${where}: ${wordFor(gsm, more) || more}`
  return [meaning ? modules[meaning] : wordFor(groups, group), where].filter(Boolean).join(' ')
}

/** The number of the first master among users, less one. */
const firstMaster = 240

function deviceKind(group: string): PanelObject['kind'] | undefined {
  if (['technical_zone', 'long_violation', 'no_violation', 'zone_tamper'].includes(group)) return 'zone'
  if (group.startsWith('expander_') || ['reader_a', 'reader_b', 'supply_overload'].includes(group)) return 'expander'
  if (group.startsWith('keypad_') || group.startsWith('ptsa_') || ['no_lan_cable_or_dsr', 'aux_stm', 'int_gsm'].includes(group)) return 'keypad'
  if (group === 'user_fob_batt' || group === 'master_fob_batt') return 'user'
  return undefined
}

type Meaning = keyof Catalogue['areas']['panels']['troubleWords']['modules']

// By the number of the module's type, as satel/data/types.csv has it for expanders and for keypads.
const meanings: Readonly<Record<string, Readonly<Record<number, Meaning>>>> = {
  ptsa_ac: { 5: 'ethm_ping', 16: 'ethm_ping' },
  ptsa_batt: { 5: 'ethm_id', 16: 'ethm_id', 15: 'gsm_imei', 14: 'keypad_battery1' },
  ptsa_no_batt: { 5: 'no_server', 16: 'no_server', 15: 'no_server', 14: 'keypad_battery2' },
  expander_batt: { 10: 'output_overload', 11: 'output_overload' },
  reader_a: { 11: 'reader_a', 12: 'acu_synchronisation', 22: 'txm_busy', 24: 'knx_link' },
  reader_b: { 11: 'reader_b' },
}
